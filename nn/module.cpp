// The tree of modules: every query is a walk over it that keeps the names joined by dots, and every
// list is without duplicates by the identity of the tensor, because tied weights are one tensor.
#include "nn/module.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>

#include "tensor/raw.h"

namespace gradus {

void Module::keep(Item item) {
  check<ValueError>(!item.name.empty(), "module: a parameter, buffer or child needs a name");
  check<ValueError>(
      item.child || item.name.find('.') == std::string::npos,
      "module: the parameter or buffer \"{}\" has a dot in its name, as if it belonged to a "
      "child; leave it out",
      item.name);
  check<ValueError>(item.child || item.tensor.defined(), "module: \"{}\" is an undefined tensor",
                    item.name);
  check<ValueError>(
      names_.insert(item.name).second,
      "module: the name \"{}\" is taken: give each parameter, buffer and child its own", item.name);
  if (item.child) item.child->train(training_);
  items_.push_back(std::move(item));
}

void set_values(const Tensor& parameter, const Tensor& values) {
  check<ShapeError>(parameter.shape() == values.shape(), "set_values: {} into a tensor of {}",
                    values.shape(), parameter.shape());
  check<DTypeError>(parameter.dtype() == values.dtype(),
                    "set_values: {} into a tensor of {}; convert with to(x, …)",
                    name(values.dtype()), name(parameter.dtype()));
  raw::copy_(parameter, raw::to(values, parameter.device()));
}

Tensor Module::parameter(std::string name, Tensor init) {
  if (init.defined()) init.set_requires_grad();
  keep({std::move(name), Kind::Parameter, init, nullptr});
  return init;
}

Tensor Module::buffer(std::string name, Tensor init) {
  keep({std::move(name), Kind::Buffer, init, nullptr});
  return init;
}

std::vector<Module::Named> Module::tensors() const {
  std::vector<Named> out;
  for (const Item& item : items_) {
    if (!item.child) {
      out.push_back({item.name, item.kind, item.tensor});
      continue;
    }
    for (Named& below : item.child->tensors()) {
      below.name = item.name + "." + below.name;
      out.push_back(std::move(below));
    }
  }
  return out;
}

NamedTensors Module::unique_tensors(Kind kind) const {
  NamedTensors out;
  std::set<const void*> seen;
  for (Named& n : tensors())
    if (n.kind == kind && seen.insert(n.tensor.impl()).second)
      out.emplace_back(std::move(n.name), std::move(n.tensor));
  return out;
}

NamedTensors Module::named_parameters() const { return unique_tensors(Kind::Parameter); }
NamedTensors Module::named_buffers() const { return unique_tensors(Kind::Buffer); }

void Module::collect(std::vector<Tensor>& out, std::unordered_set<const void*>& seen) const {
  for (const Item& item : items_)
    if (item.child)
      item.child->collect(out, seen);
    else if (item.kind == Kind::Parameter && seen.insert(item.tensor.impl()).second)
      out.push_back(item.tensor);
}

std::vector<Tensor> Module::parameters() const {
  std::vector<Tensor> out;
  std::unordered_set<const void*> seen;
  collect(out, seen);
  return out;
}

std::vector<std::pair<std::string, Module*>> Module::named_children() const {
  std::vector<std::pair<std::string, Module*>> out;
  for (const Item& item : items_)
    if (item.child) out.emplace_back(item.name, item.child.get());
  return out;
}

std::vector<std::pair<std::string, const Module*>> Module::named_modules() const {
  std::vector<std::pair<std::string, const Module*>> out{{"", this}};
  for (const auto& [name, child] : named_children())
    for (const auto& [below, module] : child->named_modules())
      out.emplace_back(below.empty() ? name : name + "." + below, module);
  return out;
}

void Module::train(bool on) {
  training_ = on;
  for (const auto& [_, child] : named_children()) child->train(on);
}

NamedTensors Module::state_dict() const {
  NamedTensors state = named_parameters();
  for (auto& buffer : named_buffers()) state.push_back(std::move(buffer));
  for (auto& [_, tensor] : state) tensor = tensor.detach();
  return state;
}

/// For two of one shape and dtype. By their bytes, because a NaN differs from itself.
static bool same_bits(const Tensor& a, const Tensor& b) {
  const Tensor x = raw::contiguous(raw::to(a, Device::CPU)),
               y = raw::contiguous(raw::to(b, Device::CPU));
  const size_t bytes = static_cast<size_t>(x.numel()) * size_of(x.dtype());
  return bytes == 0 || std::memcmp(x.view().data, y.view().data, bytes) == 0;
}

Module::LoadResult Module::load_state_dict(const NamedTensors& state, bool strict) {
  LoadResult result;
  std::string wrong;
  std::map<std::string_view, const Tensor*> given;
  for (const auto& [name, tensor] : state)
    if (!given.emplace(name, &tensor).second) wrong += fmt::format("\n  given twice: {}", name);

  std::map<Tensor::Impl*, const Tensor*> loaded;  // a tied tensor may come under any of its names
  std::set<Tensor::Impl*> named;                  // in the state, whether what is there fits or not
  const std::vector<Named> mine = tensors();
  for (const Named& e : mine) {
    const auto found = given.find(e.name);
    if (found == given.end()) continue;
    const Tensor& from = *found->second;
    if (!from.defined() || from.shape() != e.tensor.shape() || from.dtype() != e.tensor.dtype())
      wrong += fmt::format(
          "\n  {}: {} {} here, {} in the state", e.name, name(e.tensor.dtype()), e.tensor.shape(),
          from.defined() ? fmt::format("{} {}", name(from.dtype()), from.shape()) : "undefined");
    else if (const auto [it, first] = loaded.emplace(e.tensor.impl(), &from);
             !first && !same_bits(from, *it->second))
      wrong += fmt::format("\n  {}: tied here, but its two values in the state differ", e.name);
    named.insert(e.tensor.impl());
    given.erase(found);
  }
  for (const Named& e : mine)
    if (!named.contains(e.tensor.impl())) result.missing.push_back(e.name);
  for (const auto& [name, tensor] : state)
    if (given.contains(name)) result.unexpected.push_back(name);

  if (strict) {
    for (const auto& name : result.missing) wrong += "\n  missing: " + name;
    for (const auto& name : result.unexpected) wrong += "\n  unexpected: " + name;
  }
  check<ValueError>(
      wrong.empty(),
      "load_state_dict: the state does not fit this module; build the module with the "
      "configuration that it was saved with:{}",
      wrong);
  for (const Named& e : mine)
    if (const auto from = loaded.find(e.tensor.impl()); from != loaded.end())
      set_values(e.tensor, *from->second);
  return result;
}

/// Replaces the contents of each tensor. Handles to it stay valid.
void Module::replace(const std::function<Tensor(const Tensor&)>& convert) {
  std::set<const void*> seen;
  for (const Named& e : tensors()) {
    if (!seen.insert(e.tensor.impl()).second) continue;
    const Tensor fresh = convert(e.tensor.detach());
    Tensor::Impl &to = *e.tensor.impl(), &from = *fresh.impl();
    to.storage = from.storage;
    to.strides = from.strides;
    to.offset = from.offset;
    to.dtype = from.dtype;
    to.grad = Tensor();
  }
}

void Module::to(Device device) {
  replace([&](const Tensor& x) { return raw::to(x, device); });
}

void Module::to(DType dtype) {
  check<DTypeError>(dtype != I64, "module: parameters are float32 or float64, not int64");
  replace([&](const Tensor& x) { return x.is_floating_point() ? raw::to(x, dtype) : x; });
}

void Module::zero_grad() const {
  for (const Tensor& tensor : parameters()) tensor.zero_grad();
}

int64_t Module::num_parameters() const {
  int64_t n = 0;
  for (const Tensor& tensor : parameters()) n += tensor.numel();
  return n;
}

std::string Module::summary() const {
  struct Row {
    std::string module, tensors, count;
  };
  std::vector<Row> rows{{"module", "tensors", "parameters"}};
  std::map<const void*, std::string> first_names;
  for (const Named& n : tensors()) first_names.emplace(n.tensor.impl(), n.name);

  for (const auto& [path, module] : named_modules()) {
    Row row{path.empty() ? "(top)" : path, "", ""};
    int64_t count = 0;
    for (const Item& item : module->items_) {
      if (item.child) continue;
      const std::string& first = first_names[item.tensor.impl()];
      const bool tied = first != (path.empty() ? item.name : path + "." + item.name);
      if (!row.tensors.empty()) row.tensors += ", ";
      row.tensors +=
          fmt::format("{} {}{}", item.name, item.tensor.shape(), tied ? " = " + first : "");
      if (item.kind == Kind::Parameter && !tied) count += item.tensor.numel();
    }
    if (row.tensors.empty()) continue;
    row.count = std::to_string(count);
    rows.push_back(std::move(row));
  }
  rows.push_back({"total", "", std::to_string(num_parameters())});

  size_t left = 0, middle = 0;
  for (const Row& r : rows) {
    left = std::max(left, r.module.size());
    middle = std::max(middle, r.tensors.size());
  }
  std::string out;
  for (const Row& r : rows)
    out += fmt::format("{:<{}}  {:<{}}  {:>12}\n", r.module, left, r.tensors, middle, r.count);
  return out;
}

}  // namespace gradus
