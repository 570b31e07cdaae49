// The tree of modules: every query is a walk over it that keeps the names joined by dots, and every
// list is without duplicates by the identity of the tensor, because tied weights are one tensor.
#include "nn/module.h"

#include <algorithm>
#include <map>
#include <set>

#include "tensor/raw.h"

namespace gradus {

void Module::check_name(std::string_view name) const {
  check<ValueError>(!name.empty(), "module: a parameter, buffer or child needs a name");
  const auto taken = [&](const auto& e) { return e == name; };
  check<ValueError>(
      std::ranges::none_of(tensors_, taken, &Entry::name) &&
          std::ranges::none_of(children_, [&](auto& c) { return c.first == name; }),
      "module: the name \"{}\" is taken: give each parameter, buffer and child its own", name);
}

Tensor Module::keep(std::string name, Tensor init, Kind kind) {
  check_name(name);
  check<ValueError>(init.defined(), "module: \"{}\" is an undefined tensor", name);
  tensors_.push_back({std::move(name), std::move(init), kind});
  return tensors_.back().tensor;
}

Tensor Module::parameter(std::string name, Tensor init) {
  if (init.defined()) init.set_requires_grad();
  return keep(std::move(name), std::move(init), Kind::Parameter);
}

Tensor Module::buffer(std::string name, Tensor init) {
  return keep(std::move(name), std::move(init), Kind::Buffer);
}

void Module::visit(const std::string& path,
                   const std::function<void(const std::string&, const Module&)>& f) const {
  f(path, *this);
  for (const auto& [name, child] : children_)
    child->visit(path.empty() ? name : path + "." + name, f);
}

std::vector<Module::Entry> Module::entries() const {
  std::vector<Entry> all;
  visit("", [&](const std::string& path, const Module& m) {
    for (Entry e : m.tensors_) {
      if (!path.empty()) e.name = path + "." + e.name;
      all.push_back(std::move(e));
    }
  });
  return all;
}

NamedTensors Module::collect(Kind kind) const {
  NamedTensors out;
  std::set<const void*> seen;
  for (Entry& e : entries())
    if (e.kind == kind && seen.insert(e.tensor.impl()).second)
      out.emplace_back(std::move(e.name), std::move(e.tensor));
  return out;
}

NamedTensors Module::named_parameters() const { return collect(Kind::Parameter); }
NamedTensors Module::named_buffers() const { return collect(Kind::Buffer); }

std::vector<Tensor> Module::parameters() const {
  std::vector<Tensor> out;
  for (auto& [_, tensor] : named_parameters()) out.push_back(tensor);
  return out;
}

std::vector<std::pair<std::string, Module*>> Module::named_children() const {
  std::vector<std::pair<std::string, Module*>> out;
  for (const auto& [name, child] : children_) out.emplace_back(name, child.get());
  return out;
}

std::vector<std::pair<std::string, const Module*>> Module::named_modules() const {
  std::vector<std::pair<std::string, const Module*>> out;
  visit("", [&](const std::string& path, const Module& m) { out.emplace_back(path, &m); });
  return out;
}

void Module::train(bool on) {
  training_ = on;
  for (const auto& [_, child] : children_) child->train(on);
}

NamedTensors Module::state_dict() const {
  NamedTensors state = named_parameters();
  for (auto& buffer : named_buffers()) state.push_back(std::move(buffer));
  for (auto& [_, tensor] : state) tensor = tensor.detach();
  return state;
}

static bool same_values(const Tensor& a, const Tensor& b) {
  return a.to_vector<double>() == b.to_vector<double>();
}

Module::LoadResult Module::load_state_dict(const NamedTensors& state, bool strict) {
  LoadResult result;
  std::string wrong;
  std::map<std::string_view, const Tensor*> given;
  for (const auto& [name, tensor] : state)
    if (!given.emplace(name, &tensor).second) wrong += fmt::format("\n  given twice: {}", name);

  std::map<Tensor::Impl*, const Tensor*> loaded;  // a tied tensor may come under any of its names
  const std::vector<Entry> mine = entries();
  for (const Entry& e : mine) {
    const auto found = given.find(e.name);
    if (found == given.end()) continue;
    const Tensor& from = *found->second;
    if (!from.defined() || from.shape() != e.tensor.shape() || from.dtype() != e.tensor.dtype())
      wrong += fmt::format(
          "\n  {}: {} {} here, {} in the state", e.name, name(e.tensor.dtype()), e.tensor.shape(),
          from.defined() ? fmt::format("{} {}", name(from.dtype()), from.shape()) : "undefined");
    else if (const auto [it, first] = loaded.emplace(e.tensor.impl(), &from);
             !first && !same_values(from, *it->second))
      wrong += fmt::format("\n  {}: tied here, but its two values in the state differ", e.name);
    loaded.emplace(e.tensor.impl(), &from);
    given.erase(found);
  }
  for (const Entry& e : mine)
    if (!loaded.contains(e.tensor.impl())) result.missing.push_back(e.name);
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
  for (const Entry& e : mine)
    if (const auto from = loaded.find(e.tensor.impl()); from != loaded.end())
      raw::copy_(e.tensor, raw::to(*from->second, e.tensor.device()));
  return result;
}

/// Gives each tensor the contents of another one, behind the handles that others hold.
void Module::replace(const std::function<Tensor(const Tensor&)>& convert) {
  std::set<const void*> seen;
  for (const Entry& e : entries()) {
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
  for (const auto& [_, tensor] : named_parameters()) tensor.zero_grad();
}

int64_t Module::num_parameters() const {
  int64_t n = 0;
  for (const auto& [_, tensor] : named_parameters()) n += tensor.numel();
  return n;
}

std::string Module::summary() const {
  struct Row {
    std::string module, tensors;
    int64_t count = 0;
  };
  std::vector<Row> rows{{"module", "tensors", 0}};
  std::set<const void*> seen;
  visit("", [&](const std::string& path, const Module& m) {
    Row row{path.empty() ? "(top)" : path, "", 0};
    for (const Entry& e : m.tensors_) {
      const bool tied = !seen.insert(e.tensor.impl()).second;
      row.tensors += fmt::format("{}{} {}{}", row.tensors.empty() ? "" : ", ", e.name,
                                 e.tensor.shape(), tied ? " tied" : "");
      if (e.kind == Kind::Parameter && !tied) row.count += e.tensor.numel();
    }
    if (!m.tensors_.empty()) rows.push_back(std::move(row));
  });
  size_t left = 5, middle = 0;
  for (const Row& r : rows) {
    left = std::max(left, r.module.size());
    middle = std::max(middle, r.tensors.size());
  }
  std::string out = fmt::format("{:<{}}  {:<{}}  {:>12}\n", rows[0].module, left, rows[0].tensors,
                                middle, "parameters");
  for (const Row& r : std::span(rows).subspan(1))
    out += fmt::format("{:<{}}  {:<{}}  {:>12}\n", r.module, left, r.tensors, middle, r.count);
  return out + fmt::format("{:<{}}  {:<{}}  {:>12}\n", "total", left, "", middle, num_parameters());
}

}  // namespace gradus
