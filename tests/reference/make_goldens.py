#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Golden values from PyTorch, in float64, for the C++ networks, losses and optimizers.

    python3 tests/reference/make_goldens.py tests/reference

needs torch and safetensors (made with torch 2.11.0, CPU). Writes improved-unet.safetensors,
seed-unet.safetensors and optimizers.safetensors; README.md says what is in them. The networks are
written down here a second time, with torch.nn's own InstanceNorm, so that a mistake in the C++
must be made twice to go unseen.
"""
import sys

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

WIDTH, BATCH, HEIGHT, WIDTH_PX = 2, 2, 32, 48
torch.set_default_dtype(torch.float64)


def norm(x, weight=None, bias=None):
    return F.instance_norm(x, weight=weight, bias=bias, eps=1e-5)


def lrelu(x):
    return F.leaky_relu(x, 0.01)


def up2(x):
    return F.interpolate(x, scale_factor=2, mode="nearest")


class Parameters(dict):
    """Tensors by name, made on first use with the shape that the network asks for."""

    def __init__(self, generator):
        super().__init__()
        self.generator = generator

    def get(self, name, shape, scale=1.0, offset=0.0):
        if name not in self:
            value = offset + scale * torch.randn(shape, generator=self.generator)
            # Stored as float32: round first, so that both sides start from the same numbers.
            self[name] = value.float().double().requires_grad_()
        assert list(self[name].shape) == list(shape), name
        return self[name]

    def conv(self, x, name, out, kernel, stride=1, bias=True):
        weight = self.get(f"{name}.weight", [out, x.shape[1], kernel, kernel], (x.shape[1] * kernel**2) ** -0.5)
        b = self.get(f"{name}.bias", [out], 0.3) if bias else None
        return F.conv2d(x, weight, b, stride, kernel // 2)

    def cnl(self, x, name, out, kernel, stride=1):
        x = self.conv(x, f"{name}.conv", out, kernel, stride, bias=False)
        return lrelu(norm(x, self.get(f"{name}.norm.weight", [out], 0.2, 1.0), self.get(f"{name}.norm.bias", [out], 0.2)))


def improved_unet(p, x, masks):
    c = [WIDTH * 2**i for i in range(5)]
    skips = []
    for i in range(5):
        x = p.cnl(x, f"encoder.{i}.down", c[i], 3, 1 if i == 0 else 2)
        inner = p.cnl(x, f"encoder.{i}.context.a", c[i], 3) * masks[i][:, :, None, None]
        x = x + p.cnl(inner, f"encoder.{i}.context.b", c[i], 3)
        skips.append(x)
    s = {}
    for i in (3, 2, 1, 0):
        x = torch.cat([p.cnl(up2(x), f"decoder.{i}.up", c[i], 3), skips[i]], 1)
        x = p.cnl(x, f"decoder.{i}.merge", 2 * c[i], 3)
        if i > 0:
            x = p.cnl(x, f"decoder.{i}.reduce", c[i], 1)
        if i < 3:
            s[i] = p.conv(x, f"decoder.{i}.segment", 1, 1)
    half = s[1] + up2(s[2])
    return s[0] + up2(half), half, s[2]


def seed_unet(p, x, masks):
    c = [WIDTH * 2**i for i in range(5)]
    skips = []
    for i in range(5):
        x = lrelu(p.conv(x, f"encoder_block{i + 1}.0", c[i], 3, 1 if i == 0 else 2))
        inner = lrelu(norm(p.conv(x, f"encoder_block{i + 1}.2.conv1", c[i], 3))) * masks[i][:, :, None, None]
        x = x + lrelu(norm(p.conv(inner, f"encoder_block{i + 1}.2.conv2", c[i], 3)))
        skips.append(x)
    x = torch.cat([p.conv(up2(x), "encoder_block5.3.layers.1", c[3], 3), skips[3]], 1)
    x = p.conv(p.conv(x, "decoder_block1.0.conv1", c[4], 3), "decoder_block1.0.conv2", c[3], 1)
    x = torch.cat([p.conv(up2(x), "decoder_block1.1.layers.1", c[2], 3), skips[2]], 1)
    x = p.conv(p.conv(x, "localisation2.conv1", c[3], 3), "localisation2.conv2", c[2], 1)
    s1 = p.conv(x, "segmentation1", 1, 1)
    x = torch.cat([p.conv(up2(x), "up3.layers.1", c[1], 3), skips[1]], 1)
    x = p.conv(p.conv(x, "localisation3.conv1", c[2], 3), "localisation3.conv2", c[1], 1)
    half = p.conv(x, "segmentation2", 1, 1) + up2(s1)
    x = torch.cat([p.conv(up2(x), "up4.layers.1", c[0], 3), skips[0]], 1)
    x = p.conv(lrelu(p.conv(x, "final_conv.0", c[1], 1)), "final_conv.2", 1, 1)
    return x + up2(half), half, s1


def dice_bce(logits, target):
    p, t = torch.sigmoid(logits).flatten(1), (target >= 0.5).double().flatten(1)
    dice = (2 * (p * t).sum(1) + 1) / (p.sum(1) + t.sum(1) + 1)
    in_vain = 0.2 * p.sum(1) / (p.sum(1) + 0.01 * p.shape[1])
    return torch.where(t.sum(1) > 0, 1 - dice, in_vain).mean() + F.binary_cross_entropy_with_logits(logits, target)


def seed_dice(outputs, target):
    o, t = outputs.flatten(1), target.flatten(1)
    return (1 - ((o * t).sum(1) + 1) / ((o * o).sum(1) + (t * t).sum(1) + 1)).mean()


def deeply(loss, logits, target):
    full, half, quarter = logits
    half_target = F.avg_pool2d(target, 2)
    return (4 * loss(full, target) + 2 * loss(half, half_target) + loss(quarter, F.avg_pool2d(half_target, 2))) / 7


def network_golden(name, forward, loss, seed):
    g = torch.Generator().manual_seed(seed)
    images = torch.rand([BATCH, 3, HEIGHT, WIDTH_PX], generator=g)
    target = F.avg_pool2d(torch.rand([BATCH, 1, 2 * HEIGHT, 2 * WIDTH_PX], generator=g), 9, 1, 4)[:, :, ::2, ::2]
    target = ((target - 0.5) * 8 + 0.5).clamp(0, 1)
    target[1] = 0  # one sample without lesion
    masks = [(torch.rand([BATCH, WIDTH * 2**i], generator=g) < 0.7).double() / 0.7 for i in range(5)]
    p = Parameters(g)
    ones = [torch.ones_like(m) for m in masks]
    plain = forward(p, images, ones)
    out = {f"parameter.{k}": v.detach().float() for k, v in p.items()}
    out.update(images=images, target=target, **{f"dropout.{i}": m for i, m in enumerate(masks)})
    out.update(full=plain[0].detach(), half=plain[1].detach(), quarter=plain[2].detach())
    for deep in (False, True):
        for v in p.values():
            v.grad = None
        logits = forward(p, images, masks)
        value = deeply(loss, logits, target) if deep else loss(logits[0], target)
        value.backward()
        stem = "deep" if deep else "plain"
        out[f"{stem}.loss"] = value.detach().reshape(1)
        if not deep:
            out.update({f"plain.gradient.{k}": v.grad for k, v in p.items()})
    save_file({k: v.contiguous() for k, v in out.items()}, f"{sys.argv[1]}/{name}.safetensors")


def optimizer_golden():
    g = torch.Generator().manual_seed(3)
    start = torch.randn([2, 20], generator=g)
    gradients = torch.randn([6, 2, 20], generator=g) * torch.logspace(-6, 1, 20)
    rates = torch.tensor([1e-3, 2e-3, 2e-3, 1.5e-3, 1e-3, 1e-4])
    out = {"start": start, "gradients": gradients, "rates": rates}
    for name, kind, decay in (("adam", torch.optim.Adam, 0.0), ("adam_l2", torch.optim.Adam, 0.1), ("adamw", torch.optim.AdamW, 0.1)):
        decayed, kept = start[0].clone().requires_grad_(), start[1].clone().requires_grad_()
        optimizer = kind([{"params": [decayed], "weight_decay": decay}, {"params": [kept], "weight_decay": 0.0}], lr=1.0)
        for step in range(6):
            for group in optimizer.param_groups:
                group["lr"] = rates[step].item()
            decayed.grad, kept.grad = gradients[step, 0].clone(), gradients[step, 1].clone()
            optimizer.step()
        out[name] = torch.stack([decayed, kept]).detach()
    save_file(out, f"{sys.argv[1]}/optimizers.safetensors")


network_golden("improved-unet", improved_unet, dice_bce, 1)
network_golden("seed-unet", seed_unet, seed_dice, 2)
optimizer_golden()
