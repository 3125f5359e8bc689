// SPDX-License-Identifier: MIT
// Curves on a canvas of twice the size, which is then halved: OpenCV's stroke fonts and lines come
// out smooth that way.
#include <opencv2/imgproc.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "trainer/data/image_files.h"
#include "trainer/report/axis.h"
#include "trainer/report/pictures.h"

namespace unetseg::trainer {
namespace {

// All lengths are in pixels of the doubled canvas.
constexpr int kWidth = 2400, kHeight = 1600;
constexpr int kMarginLeft = 220, kMarginRight = 220, kMarginBottom = 190;
constexpr int kTitleLine = 90, kLegendTop = 170, kLegendRow = 64;
constexpr int kSubpixelBits = 4;
constexpr int kMostMarkers = 60;  // with more points than this a line speaks for itself

const cv::Scalar kInk(60, 60, 60), kPale(225, 225, 225), kFrame(150, 150, 150);

// Okabe and Ito's colours, which stay apart for colour-blind readers; RGB.
const std::array<cv::Scalar, 7> kPalette = {cv::Scalar(0, 114, 178), cv::Scalar(213, 94, 0),
                                            cv::Scalar(0, 158, 115), cv::Scalar(150, 80, 150),
                                            cv::Scalar(230, 159, 0), cv::Scalar(86, 180, 233),
                                            cv::Scalar(90, 90, 90)};

struct Range {
  double low = HUGE_VAL, high = -HUGE_VAL;
  void include(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool empty() const { return low > high; }
};

std::size_t length_of(const Series& series) {
  return std::min(series.x.size(), series.y.size());
}

bool is_drawn(const Series& series, std::size_t i) {
  return std::isfinite(series.x[i]) && std::isfinite(series.y[i]);
}

// What text means at a place: `x` is its left edge, its middle or its right edge.
enum class Align { left, middle, right };

void put_text(cv::Mat& canvas, const std::string& text, int x, int baseline, Align align,
              double scale, const cv::Scalar& colour, int thickness = 2) {
  const int width =
      cv::getTextSize(text, cv::FONT_HERSHEY_SIMPLEX, scale, thickness, nullptr).width;
  const int left = align == Align::left ? x : align == Align::middle ? x - width / 2 : x - width;
  cv::putText(canvas, text, {left, baseline}, cv::FONT_HERSHEY_SIMPLEX, scale, colour, thickness,
              cv::LINE_AA);
}

// Reads upwards, centred on (x, y).
void put_upright_text(cv::Mat& canvas, const std::string& text, int x, int y, double scale) {
  int below = 0;
  const cv::Size size = cv::getTextSize(text, cv::FONT_HERSHEY_SIMPLEX, scale, 2, &below);
  cv::Mat lying(size.height + below + 8, size.width + 8, CV_8UC3, cv::Scalar::all(255)), upright;
  put_text(lying, text, 4, size.height + 4, Align::left, scale, kInk);
  cv::rotate(lying, upright, cv::ROTATE_90_COUNTERCLOCKWISE);
  const cv::Rect place(x - upright.cols / 2, y - upright.rows / 2, upright.cols, upright.rows);
  upright.copyTo(canvas(place));
}

class Chart {
 public:
  Chart(const std::string& title, const std::string& x_label, const std::vector<Series>& series)
      : canvas_(kHeight, kWidth, CV_8UC3, cv::Scalar::all(255)), series_(series) {
    put_text(canvas_, title, kWidth / 2, kTitleLine, Align::middle, 1.9, kInk, 3);
    const int top = draw_legend();
    plot_ = {kMarginLeft, top, kWidth - kMarginLeft - kMarginRight, kHeight - kMarginBottom - top};
    choose_axes();
    draw_grid(x_label);
    for (std::size_t i = 0; i < series_.size(); ++i) draw_series(series_[i], colour_of(i));
    cv::rectangle(canvas_, plot_, kFrame, 2);
  }

  Image finished() const {
    cv::Mat half;
    cv::resize(canvas_, half, {kWidth / 2, kHeight / 2}, 0, 0, cv::INTER_AREA);
    return {half.cols, half.rows, 3, {half.datastart, half.dataend}};
  }

 private:
  static const cv::Scalar& colour_of(std::size_t i) { return kPalette[i % kPalette.size()]; }

  // Each entry is a stroke, the label and the last value; rows are centred. Returns the plot's top.
  int draw_legend() {
    constexpr double kScale = 1.1;
    constexpr int kStroke = 70, kGap = 20, kBetween = 60;
    std::vector<std::string> texts;
    std::vector<int> widths;
    for (const Series& series : series_) {
      std::string text = series.label;
      for (std::size_t i = length_of(series); i-- > 0;)
        if (is_drawn(series, i)) {
          const double last = series.y[i];
          text +=
              std::abs(last) < 1000 ? fmt::format("  {:.4f}", last) : fmt::format("  {:.4g}", last);
          break;
        }
      const cv::Size size = cv::getTextSize(text, cv::FONT_HERSHEY_SIMPLEX, kScale, 2, nullptr);
      texts.push_back(text);
      widths.push_back(kStroke + kGap + size.width + kBetween);
    }
    int y = kLegendTop;
    for (std::size_t first = 0; first < texts.size(); y += kLegendRow) {
      std::size_t last = first;
      int width = -kBetween;
      while (last < texts.size() && (last == first || width + widths[last] < kWidth - kBetween))
        width += widths[last++];
      for (int x = (kWidth - width) / 2; first < last; x += widths[first++]) {
        cv::line(canvas_, {x, y - 14}, {x + kStroke, y - 14}, colour_of(first), 7, cv::LINE_AA);
        put_text(canvas_, texts[first], x + kStroke + kGap, y, Align::left, kScale, kInk);
      }
    }
    return y;
  }

  void choose_axes() {
    Range x, left, right;
    bool whole = true;
    for (const Series& series : series_)
      for (std::size_t i = 0; i < length_of(series); ++i) {
        if (!is_drawn(series, i)) continue;
        x.include(series.x[i]);
        whole = whole && series.x[i] == std::round(series.x[i]);
        (series.right_axis ? right : left).include(series.y[i]);
      }
    // Along x the data fill the plot; only the ticks are round.
    x_axis_ = x.empty() ? Axis{0, 1, 1} : axis_for(x.low, x.high, 10, whole ? 1 : 0);
    if (!x.empty() && x.high > x.low) {
      x_low_ = x.low;
      x_high_ = x.high;
    } else {
      x_low_ = x_axis_.low;
      x_high_ = x_axis_.high;
    }
    if (!left.empty() || right.empty())
      left_ = left.empty() ? Axis{0, 1, 0.2} : axis_for(left.low, left.high, 9);
    if (!right.empty())
      right_ = left_ ? axis_with(right.low, right.high, std::max(4, left_->intervals()))
                     : axis_for(right.low, right.high, 9);
    if (left_ && right_ && left_->intervals() != right_->intervals())
      left_ = axis_with(left.low, left.high, right_->intervals());
  }

  double column(double x) const {
    return plot_.x + (x - x_low_) / (x_high_ - x_low_) * plot_.width;
  }
  double row(const Axis& axis, double y) const {
    return plot_.y + (1 - axis.position(y)) * plot_.height;
  }

  void draw_grid(const std::string& x_label) {
    const int bottom = plot_.y + plot_.height, end = plot_.x + plot_.width;
    for (int i = 0; i <= x_axis_.intervals(); ++i) {
      const double value = x_axis_.tick(i);
      if (value < x_low_ - 1e-9 * x_axis_.step || value > x_high_ + 1e-9 * x_axis_.step) continue;
      const int x = static_cast<int>(std::lround(column(value)));
      cv::line(canvas_, {x, plot_.y}, {x, bottom}, kPale, 2);
      put_text(canvas_, x_axis_.label(value), x, bottom + 56, Align::middle, 1.2, kInk);
    }
    const Axis& grid = left_ ? *left_ : *right_;
    for (int i = 0; i <= grid.intervals(); ++i) {
      const int y = static_cast<int>(std::lround(row(grid, grid.tick(i))));
      cv::line(canvas_, {plot_.x, y}, {end, y}, kPale, 2);
      if (left_)
        put_text(canvas_, left_->label(left_->tick(i)), plot_.x - 24, y + 14, Align::right, 1.2,
                 kInk);
      if (right_)
        put_text(canvas_, right_->label(right_->tick(i)), end + 24, y + 14, Align::left, 1.2, kInk);
    }
    put_text(canvas_, x_label, plot_.x + plot_.width / 2, bottom + 136, Align::middle, 1.4, kInk);
    const int middle = plot_.y + plot_.height / 2;
    if (left_) put_upright_text(canvas_, "loss", 50, middle, 1.4);
    if (right_) put_upright_text(canvas_, "score", kWidth - 50, middle, 1.4);
  }

  void draw_series(const Series& series, const cv::Scalar& colour) {
    const Axis& axis = series.right_axis ? *right_ : *left_;
    const bool markers = length_of(series) <= kMostMarkers;
    std::vector<cv::Point> run;  // in sixteenths of a pixel
    const auto end_run = [&] {
      if (run.size() > 1) cv::polylines(canvas_, run, false, colour, 6, cv::LINE_AA, kSubpixelBits);
      // A point between two gaps would be invisible as a line.
      if (markers || run.size() == 1)
        for (const cv::Point& point : run)
          cv::circle(canvas_, point, 9 << kSubpixelBits, colour, cv::FILLED, cv::LINE_AA,
                     kSubpixelBits);
      run.clear();
    };
    for (std::size_t i = 0; i < length_of(series); ++i) {
      if (!is_drawn(series, i)) {
        end_run();
        continue;
      }
      const double x = column(series.x[i]), y = row(axis, series.y[i]);
      run.emplace_back(static_cast<int>(std::lround(x * (1 << kSubpixelBits))),
                       static_cast<int>(std::lround(y * (1 << kSubpixelBits))));
    }
    end_run();
  }

  cv::Mat canvas_;
  const std::vector<Series>& series_;
  cv::Rect plot_;
  Axis x_axis_;
  double x_low_ = 0, x_high_ = 1;
  std::optional<Axis> left_, right_;
};

}  // namespace

void write_curves(const std::string& path, const std::string& title, const std::string& x_label,
                  const std::vector<Series>& series) {
  write_image(path, Chart(title, x_label, series).finished());
}

}  // namespace unetseg::trainer
