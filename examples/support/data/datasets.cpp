// Data need no gradient, so this file uses the value operations (raw::), which record nothing.
#include "examples/support/data/datasets.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>

#include "examples/support/data/csv.h"
#include "examples/support/data/idx.h"
#include "tensor/raw.h"

namespace gradus::support {
namespace {

const Options kFloatOnCpu{F32, Device::CPU};

/// Data that was filled in on the CPU, moved to where the program computes.
Dataset on_default_device(Dataset data) {
  data.x = raw::to(data.x, get_default_device());
  data.y = raw::to(data.y, get_default_device());
  return data;
}

/// A table whose last column holds a word from `classes`; all others become the features.
Dataset from_table(const std::filesystem::path& path, const std::vector<std::string>& classes) {
  const Csv csv = Csv::read(path);
  const int64_t features = csv.columns() - 1;
  std::vector<float> x;
  std::vector<int64_t> y;
  for (int64_t row = 0; row < csv.rows(); ++row) {
    for (int64_t f = 0; f < features; ++f) x.push_back(static_cast<float>(csv.number(row, f)));
    const std::string& name = csv.text(row, features);
    const auto found = std::find(classes.begin(), classes.end(), name);
    check<IoError>(found != classes.end(),
                   "{}: row {}: unknown class '{}'; there are {} classes, from '{}' to '{}'",
                   path.string(), row + 1, name, classes.size(), classes.front(), classes.back());
    y.push_back(found - classes.begin());
  }
  Dataset data{tensor(x, {csv.rows(), features}), tensor(y), classes, csv.header()};
  data.features.pop_back();
  return data;
}

/// The folder that $GRADUS_DATA names, or an empty path.
std::filesystem::path user_folder() {
  const char* const folder = std::getenv("GRADUS_DATA");
  return folder != nullptr ? folder : "";
}

/// examples/data in the source tree that holds the program, which may have been moved since it was
/// built; or an empty path.
std::filesystem::path folder_above_program() {
  std::error_code error;
  std::filesystem::path folder = std::filesystem::read_symlink("/proc/self/exe", error);
  while (folder.has_relative_path()) {
    folder = folder.parent_path();
    const std::filesystem::path data = folder / "examples" / "data";
    if (std::filesystem::exists(data, error)) return data;
  }
  return {};
}

std::filesystem::path fashion_mnist_folder() {
  const std::filesystem::path own = user_folder() / "fashion-mnist";
  return !user_folder().empty() && std::filesystem::exists(own)
             ? own
             : "/usr/share/datasets/fashion-mnist";
}

Dataset read_fashion_mnist(const std::filesystem::path& folder, const std::string& part) {
  const std::filesystem::path image_file = folder / (part + "-images-idx3-ubyte.gz");
  const std::filesystem::path label_file = folder / (part + "-labels-idx1-ubyte.gz");
  const Idx images = read_idx(image_file, 3), labels = read_idx(label_file, 1);
  const int64_t n = images.shape[0], height = images.shape[1], width = images.shape[2];
  check<IoError>(labels.shape[0] == n,
                 "fashion_mnist: {}: {} labels for the {} pictures of {}; install them again",
                 label_file.string(), labels.shape[0], n, image_file.string());
  Dataset data{empty({n, 1, height, width}, kFloatOnCpu),
               empty({n}, {I64, Device::CPU}),
               {"T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "trainer",
                "bag", "boot"},
               {}};
  std::transform(images.bytes.begin(), images.bytes.end(), data.x.data<float>(),
                 [](char c) { return static_cast<float>(static_cast<uint8_t>(c)) / 255; });
  for (int64_t i = 0; i < n; ++i) {
    const auto label = static_cast<uint8_t>(labels.bytes[i]);
    check<IoError>(label < data.classes.size(),
                   "fashion_mnist: {}: label {} is {}, but classes go from 0 to {}",
                   label_file.string(), i, label, data.classes.size() - 1);
    data.y.data<int64_t>()[i] = label;
  }
  return on_default_device(std::move(data));
}

/// The indices i with mask[i] == value.
Tensor indices_where(const std::vector<bool>& mask, bool value) {
  std::vector<int64_t> index;
  for (size_t i = 0; i < mask.size(); ++i)
    if (mask[i] == value) index.push_back(static_cast<int64_t>(i));
  return tensor(index);
}

}  // namespace

std::filesystem::path data_file(const std::string& name) {
  const std::filesystem::path chosen = user_folder(), where_built = GRADUS_DATA_DIR;
  for (const std::filesystem::path& folder : {chosen, folder_above_program(), where_built})
    if (!folder.empty() && std::filesystem::exists(folder / name)) return folder / name;
  throw IoError(fmt::format(
      "data_file: {} is neither in the folder that GRADUS_DATA names ({}), nor in examples/data "
      "above the program, nor in {}; set GRADUS_DATA to the folder that has it",
      name, chosen.empty() ? "none" : chosen.string(), where_built.string()));
}

uint64_t seed_for(std::string_view purpose, uint64_t seed) {
  uint64_t hash = seed ^ 0xCBF29CE484222325u;  // FNV-1a
  for (const char c : purpose) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001B3u;
  return hash;
}

Dataset select_rows(const Dataset& data, const Tensor& index) {
  return {raw::index_select(data.x, 0, index), raw::index_select(data.y, 0, index), data.classes,
          data.features};
}

Dataset slice_rows(const Dataset& data, int64_t start, int64_t stop) {
  return {raw::slice(data.x, 0, start, stop), raw::slice(data.y, 0, start, stop), data.classes,
          data.features};
}

Split split_by_class(const Dataset& data, double test_fraction, uint64_t seed) {
  Generator generator(seed_for("split", seed));
  const std::vector<int64_t> y = data.y.to_vector<int64_t>();
  const std::vector<int64_t> order = randperm(data.size(), generator).to_vector<int64_t>();
  std::vector<bool> held_out(y.size(), false);
  for (size_t c = 0; c < data.classes.size(); ++c) {
    const auto class_size = std::count(y.begin(), y.end(), static_cast<int64_t>(c));
    const auto test_size = std::llround(test_fraction * static_cast<double>(class_size));
    check<ValueError>(
        test_size > 0 && test_size < class_size,
        "split_by_class: {} of the {} rows of class '{}' would be held out; each part "
        "needs at least one: choose another fraction",
        test_size, class_size, data.classes[c]);
    auto still_to_draw = test_size;
    for (const int64_t row : order) {
      if (still_to_draw == 0) break;
      if (y[row] != static_cast<int64_t>(c)) continue;
      held_out[row] = true;
      --still_to_draw;
    }
  }
  return {select_rows(data, indices_where(held_out, false)),
          select_rows(data, indices_where(held_out, true))};
}

Standardizer::Standardizer(const Tensor& x) {
  const int64_t n = x.size(0), columns = x.size(1);
  const std::vector<float> values = x.to_vector<float>();
  std::vector<float> mean(columns), scale(columns);
  for (int64_t c = 0; c < columns; ++c) {
    double sum = 0, squares = 0;
    for (int64_t r = 0; r < n; ++r) sum += values[r * columns + c];
    const double m = sum / static_cast<double>(n);
    for (int64_t r = 0; r < n; ++r) squares += std::pow(values[r * columns + c] - m, 2);
    mean[c] = static_cast<float>(m);
    scale[c] =
        squares > 0 ? static_cast<float>(1 / std::sqrt(squares / static_cast<double>(n))) : 0;
  }
  mean_ = tensor(mean);
  scale_ = tensor(scale);
}

Tensor Standardizer::operator()(const Tensor& x) const {
  return raw::mul(raw::binary(scalar::Sub{}, x, mean_), scale_);
}

Dataset breast_cancer() {
  return from_table(data_file("breast_cancer.csv"), {"benign", "malignant"});
}

Dataset digits() {
  Dataset data =
      from_table(data_file("digits.csv.gz"), {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"});
  data.x = raw::reshape(data.x, {data.size(), 1, 8, 8});
  raw::mul_(data.x, 1.0 / 16);
  data.features.clear();
  return data;
}

Split fashion_mnist() {
  const std::filesystem::path folder = fashion_mnist_folder();
  check<IoError>(std::filesystem::exists(folder),
                 "fashion_mnist: there is no {}; install it with: apt install "
                 "dataset-fashion-mnist",
                 folder.string());
  return {read_fashion_mnist(folder, "train"), read_fashion_mnist(folder, "t10k")};
}

Split pictures(uint64_t seed) {
  if (std::filesystem::exists(fashion_mnist_folder())) return fashion_mnist();
  fmt::print(
      "Fashion-MNIST is not installed (apt install dataset-fashion-mnist): "
      "the 8 × 8 digits of examples/data take its place\n");
  return split_by_class(digits(), 0.2, seed);
}

std::vector<double> pytorch_steps(std::string_view optimizer) {
  const Csv table = Csv::read(data_file("rosenbrock.csv"));
  std::vector<double> steps;
  for (int64_t row = 0; row < table.rows(); ++row)
    if (table.text(row, 0) == optimizer)
      for (const int64_t column : {2, 3}) steps.push_back(table.number(row, column));
  check<IoError>(steps.size() == 20,
                 "pytorch_steps: rosenbrock.csv has {} steps of {}; it must have 10",
                 steps.size() / 2, optimizer);
  return steps;
}

Dataset blobs(int64_t n, double distance, uint64_t seed) {
  Generator generator(seed_for("blobs", seed));
  Dataset data{normal({2 * n, 2}, 0, 1, kFloatOnCpu, generator),
               empty({2 * n}, {I64, Device::CPU}),
               {"blue", "orange"},
               {"x", "y"}};
  for (int64_t i = 0; i < 2 * n; ++i) {
    const int64_t c = i / n;
    data.y.data<int64_t>()[i] = c;
    // Along the diagonal: the distance is sqrt(2) times the shift in x and in y.
    const double shift = (c == 0 ? -0.5 : 0.5) * distance / std::numbers::sqrt2;
    for (int64_t d = 0; d < 2; ++d) data.x.data<float>()[2 * i + d] += static_cast<float>(shift);
  }
  return on_default_device(std::move(data));
}

Dataset spirals(int64_t n, int64_t arms, double turns, double noise, uint64_t seed) {
  Generator generator(seed_for("spirals", seed));
  Dataset data{normal({arms * n, 2}, 0, noise, kFloatOnCpu, generator),
               empty({arms * n}, {I64, Device::CPU}),
               {},
               {"x", "y"}};
  for (int64_t i = 0; i < arms * n; ++i) {
    const int64_t arm = i / n;
    const double r = 0.1 + 0.9 * (static_cast<double>(i % n) + 0.5) / static_cast<double>(n);
    const double start = static_cast<double>(arm) / static_cast<double>(arms);
    const double angle = 2 * std::numbers::pi * (turns * r + start);
    data.x.data<float>()[2 * i] += static_cast<float>(r * std::cos(angle));
    data.x.data<float>()[2 * i + 1] += static_cast<float>(r * std::sin(angle));
    data.y.data<int64_t>()[i] = arm;
  }
  for (int64_t arm = 0; arm < arms; ++arm) data.classes.push_back(fmt::format("arm {}", arm + 1));
  return on_default_device(std::move(data));
}

Batches::Batches(const Dataset& data, int64_t batch_size, bool shuffle, uint64_t seed)
    : data_(data),
      batch_size_(batch_size),
      shuffle_(shuffle),
      generator_(seed_for("batches", seed)) {
  check<ValueError>(batch_size > 0 && data.size() > 0,
                    "Batches: {} rows in batches of {}; both must be at least 1", data.size(),
                    batch_size);
}

int64_t Batches::size() const { return (data_.size() + batch_size_ - 1) / batch_size_; }

Batches::Epoch Batches::epoch() {
  const Tensor order = shuffle_ ? randperm(data_.size(), generator_) : Tensor();
  return {{&data_, order, batch_size_, 0}, {&data_, order, batch_size_, data_.size()}};
}

Batches::Batch Batches::Iterator::operator*() const {
  const int64_t stop = std::min(start + batch_size, data->size());
  if (!order.defined())
    return {raw::slice(data->x, 0, start, stop), raw::slice(data->y, 0, start, stop)};
  const Tensor index = raw::slice(order, 0, start, stop);
  return {raw::index_select(data->x, 0, index), raw::index_select(data->y, 0, index)};
}

}  // namespace gradus::support
