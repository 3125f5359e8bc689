// SPDX-License-Identifier: MIT
// Image, truth and prediction side by side, one row an image, for a person to look through.
#include <opencv2/imgproc.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "trainer/data/image_files.h"
#include "trainer/report/pictures.h"

namespace unetseg::trainer {
namespace {

constexpr int kCellWidth = 320, kTallestCell = 480;
constexpr int kGalleryCell = 160;
constexpr int kGap = 8, kHeader = 40, kCaption = 30;

const cv::Scalar kPaper(255, 255, 255), kInk(60, 60, 60);
const cv::Scalar kTruth(40, 230, 90), kPrediction(255, 60, 220);  // RGB

cv::Size cell_size(const PanelRow& row) {
  const double height = static_cast<double>(kCellWidth) * row.height / row.width;
  return {kCellWidth, std::clamp(static_cast<int>(std::lround(height)), 16, kTallestCell)};
}

// Where `values`, enlarged to `size`, reach `threshold`: 255, elsewhere 0.
cv::Mat region(const cv::Mat& values, const cv::Size& size, double threshold) {
  cv::Mat floats, large;
  values.convertTo(floats, CV_32F);
  cv::resize(floats, large, size, 0, 0, cv::INTER_LINEAR);
  return large >= threshold;
}

void draw_contour(cv::Mat& cell, const cv::Mat& region, const cv::Scalar& colour,
                  int thickness = 2) {
  std::vector<std::vector<cv::Point>> contours;
  cv::findContours(region, contours, cv::RETR_LIST, cv::CHAIN_APPROX_NONE);
  cv::drawContours(cell, contours, -1, colour, thickness, cv::LINE_AA);
}

// What is outside the region is dimmed, so that the region itself keeps its true colours.
void dim_outside(cv::Mat& cell, const cv::Mat& region) {
  cv::Mat dim;
  cell.convertTo(dim, -1, 0.55, 0);
  dim.copyTo(cell, ~region);
}

void put_text(cv::Mat& canvas, const std::string& text, const cv::Point& place,
              const cv::Scalar& colour) {
  cv::putText(canvas, text, place, cv::FONT_HERSHEY_SIMPLEX, 0.5, colour, 1, cv::LINE_AA);
}

// Draws one row with its top left corner at (kGap, y); returns the height it took.
int draw_row(cv::Mat& canvas, int y, const PanelRow& row, double threshold) {
  const cv::Size size = cell_size(row);
  const cv::Size own(row.width, row.height);
  // cv::Mat borrows; nothing below writes through it.
  const cv::Mat picture(own, CV_8UC3, const_cast<std::uint8_t*>(row.image));
  const cv::Mat mask(own, CV_8UC1, const_cast<std::uint8_t*>(row.truth));
  const cv::Mat map(own, CV_32FC1, const_cast<float*>(row.probabilities));
  cv::Mat image;
  cv::resize(picture, image, size, 0, 0, own.width > size.width ? cv::INTER_AREA : cv::INTER_CUBIC);
  const cv::Mat truth = region(mask, size, 127.5), prediction = region(map, size, threshold);
  cv::Mat with_truth = image.clone(), with_prediction = image.clone();
  dim_outside(with_truth, truth);
  dim_outside(with_prediction, prediction);
  draw_contour(with_truth, truth, kTruth);
  draw_contour(with_prediction, truth, kTruth);
  draw_contour(with_prediction, prediction, kPrediction);
  put_text(canvas, row.caption, {kGap + 2, y + kCaption - 9}, kInk);
  int x = kGap;
  for (const cv::Mat* cell : {&image, &with_truth, &with_prediction}) {
    cell->copyTo(canvas(cv::Rect({x, y + kCaption}, size)));
    x += kCellWidth + kGap;
  }
  return kCaption + size.height;
}

}  // namespace

void write_panel(const std::string& path, const std::vector<PanelRow>& rows, double threshold) {
  int height = kHeader + kGap;
  for (const PanelRow& row : rows) height += kCaption + cell_size(row).height;
  cv::Mat canvas(height, 3 * kCellWidth + 4 * kGap, CV_8UC3, kPaper);
  const int baseline = kHeader - 12, step = kCellWidth + kGap;
  put_text(canvas, "image", {kGap + 2, baseline}, kInk);
  put_text(canvas, "truth", {kGap + step + 2, baseline}, kTruth * 0.7);
  put_text(canvas, fmt::format("prediction, threshold {:.2f}", threshold),
           {kGap + 2 * step + 2, baseline}, kPrediction * 0.8);
  int y = kHeader;
  for (const PanelRow& row : rows) y += draw_row(canvas, y, row, threshold);
  write_image(path, {canvas.cols, canvas.rows, 3, {canvas.datastart, canvas.dataend}});
}

void write_gallery(const std::string& path, int width, int height,
                   const std::vector<GalleryPicture>& pictures) {
  const auto columns = static_cast<int>(std::ceil(std::sqrt(static_cast<double>(pictures.size()))));
  const int rows = (static_cast<int>(pictures.size()) + columns - 1) / std::max(1, columns);
  const cv::Size own(width, height);
  const cv::Size size(kGalleryCell, std::max(1, kGalleryCell * height / width));
  cv::Mat canvas(rows * size.height, columns * size.width, CV_8UC3, kPaper);
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    const cv::Mat picture(own, CV_8UC3, const_cast<std::uint8_t*>(pictures[i].image));
    const cv::Mat mask(own, CV_8UC1, const_cast<std::uint8_t*>(pictures[i].truth));
    cv::Mat cell;
    cv::resize(picture, cell, size, 0, 0, cv::INTER_AREA);
    draw_contour(cell, region(mask, size, 127.5), kTruth, 1);
    const int column = static_cast<int>(i) % columns, row = static_cast<int>(i) / columns;
    cell.copyTo(canvas(cv::Rect({column * size.width, row * size.height}, size)));
  }
  write_image(path, {canvas.cols, canvas.rows, 3, {canvas.datastart, canvas.dataend}});
}

bool has_pictures() {
  return true;
}

}  // namespace unetseg::trainer
