// A PTX file into its variables and functions.
#include "cuda/emulator/ptx_parser.h"

#include <dlfcn.h>

#include <algorithm>

namespace simt::ptx {

Type type_of(std::string_view name) {
  static const std::map<std::string_view, Type> types = {
      // clang-format off
      {"pred", Type::Pred}, {"b8", Type::B8}, {"u8", Type::U8}, {"s8", Type::S8},
      {"b16", Type::B16}, {"u16", Type::U16}, {"s16", Type::S16}, {"f16", Type::F16}, {"bf16", Type::BF16},
      {"b32", Type::B32}, {"u32", Type::U32}, {"s32", Type::S32}, {"f32", Type::F32},
      {"b64", Type::B64}, {"u64", Type::U64}, {"s64", Type::S64}, {"f64", Type::F64}};
  // clang-format on
  const auto found = types.find(name);
  return found == types.end() ? Type::None : found->second;
}

size_t size_of(Type type) {
  if (type == Type::None) return 0;
  if (type <= Type::S8) return 1;
  if (type <= Type::BF16) return 2;
  return type <= Type::F32 ? 4 : 8;
}

void Parser::error(const std::string& what) const {
  std::string where = module_.path + ":" + std::to_string(peek().line) + ": " + what;
  if (function_) where += ", in " + demangled(function_->name);
  stop(where + " (at `" + std::string(peek().text) + "`)");
}

void Parser::file() {
  while (!peek().text.empty()) {
    const std::string_view word = next();
    if (word == ".version" || word == ".target" || word == ".address_size") {
      next();
      while (accept(",")) next();
    } else if (word == ".visible" || word == ".weak" || word == ".extern" || word == ".common") {
    } else if (word == ".entry" || word == ".func") {
      function(word == ".entry");
    } else if (word == ".global" || word == ".const" || word == ".shared") {
      variable(word == ".shared" ? Space::Shared : Space::Global);
    } else if (word == ".file") {
      next();
      next();
      while (accept(",")) next();
    } else if (word == ".section") {
      skip_to("}");
    } else if (word != ";") {
      --at_;
      error("unknown directive");
    }
  }
  for (auto& [name, f] : module_.functions) f->module = &module_;
}

// ---- Variables ----------------------------------------------------------------------------------

// .align 4 .b8 name[16]: the words between the space and `;`, `,`, `)` or `=`.
Parser::Declaration Parser::declaration(std::string_view until) {
  Declaration d;
  d.line = peek().line;
  size_t count = 1;
  while (until.find(peek().text) == until.npos) {
    const std::string_view word = next();
    if (word == ".align") {
      d.align = number(next());
    } else if (word == "[") {
      d.is_extern = peek().text == "]";
      count *= d.is_extern ? 0 : number(next());
      expect("]");
    } else if (word.starts_with('.')) {
      if (const Type type = type_of(word.substr(1)); type != Type::None) d.type = type;
    } else {
      d.name = word;
    }
  }
  d.bytes = count * size_of(d.type);
  d.align = std::max(d.align, size_of(d.type));
  return d;
}

void Parser::variable(Space space) {
  const Declaration d = declaration(";=");
  if (space == Space::Shared)
    shared_array(d);
  else if (space == Space::Global)
    global_array(d);
  else
    scopes_.back().slices[d.name] = place(d.bytes, d.align);
  expect(";");
}

void Parser::shared_array(const Declaration& d) {
  SharedArray& array = module_.shared.emplace_back();
  array.name = d.name;
  array.address = kDynamicShared;
  array.site = {array.name.c_str(), d.bytes, d.align, 1, module_.path.c_str(), d.line};
  if (d.is_extern) return;
  const auto align = static_cast<uint32_t>(std::max<size_t>(d.align, 16));
  array.address = (shared_top_ + align - 1) / align * align;
  shared_top_ = array.address + static_cast<uint32_t>(d.bytes) + 64;  // a gap that is nobody's
}

void Parser::global_array(const Declaration& d) {
  GlobalArray& array = module_.globals.emplace_back();
  array.name = d.name;
  array.bytes = d.bytes;
  array.address = static_cast<char*>(dlsym(RTLD_DEFAULT, array.name.c_str()));
  if (!array.address) {
    array.own = std::make_unique<char[]>(d.bytes + d.align);
    const auto start = reinterpret_cast<uintptr_t>(array.own.get());
    array.address = array.own.get() + (d.align - start % d.align) % d.align;
  }
  if (!accept("=")) return;
  if (array.own)
    initialise(array, d.type);
  else
    while (peek().text != ";" && !peek().text.empty()) next();  // C++ has initialised it
}

// = 5, = {1, 2, 3}, = generic(other): values of the variable's type.
void Parser::initialise(GlobalArray& array, Type type) {
  char* to = array.address;
  while (peek().text != ";") {
    const std::string_view word = next();
    if (word == "{" || word == "}" || word == "," || word == "generic" || word == "(" ||
        word == ")")
      continue;
    const uint64_t value = is_number(word) ? number(word) : address_of(word);
    if (to + size_of(type) > array.address + array.bytes) error("more values than elements");
    std::memcpy(to, &value, size_of(type));
    to += size_of(type);
  }
}

uint64_t Parser::address_of(std::string_view name) {
  for (const SharedArray& array : module_.shared)
    if (array.name == name) return array.address;
  for (const GlobalArray& array : module_.globals)
    if (array.name == name) return reinterpret_cast<uintptr_t>(array.address);
  if (const auto f = module_.functions.find(name); f != module_.functions.end())
    return reinterpret_cast<uintptr_t>(f->second.get());
  error("unknown name `" + std::string(name) + "`");
}

// ---- Functions ----------------------------------------------------------------------------------

void Parser::function(bool entry) {
  scopes_.assign(1, {});
  Function fresh;
  function_ = &fresh;
  fresh.entry = entry;
  std::vector<Slice> results;
  if (!entry && peek().text == "(") results = parameters();
  fresh.name = next();
  fresh.results = std::move(results);
  if (peek().text == "(") fresh.parameters = parameters();
  while (peek().text != "{" && peek().text != ";" && !peek().text.empty()) next();  // .maxntid …
  // A declaration comes before the definition, and its address may have been taken already.
  auto& known = module_.functions[fresh.name];
  if (!known) known = std::make_unique<Function>();
  if (accept(";")) {
    if (known->name.empty()) *known = std::move(fresh);
  } else {
    *known = std::move(fresh);
    function_ = known.get();
    function_->defined = true;
    body();
  }
  function_ = nullptr;
}

std::vector<Slice> Parser::parameters() {
  std::vector<Slice> list;
  expect("(");
  while (!accept(")")) {
    const Declaration d = declaration(",)");
    if (d.name.empty()) error("a parameter without a name");
    list.push_back(place(d.bytes, d.align));
    scopes_.back().slices[d.name] = list.back();
    accept(",");
  }
  return list;
}

Slice Parser::place(size_t bytes, size_t align) {
  size_t& top = function_->frame_bytes;
  top = (top + align - 1) / align * align;
  const Slice slice{top, bytes};
  top += bytes;
  return slice;
}

void Parser::body() {
  constants_.clear();
  labels_.clear();
  table_of_.clear();
  jumps_.clear();
  table_jumps_.clear();
  tables_.clear();
  new_register();  // register 0 takes what is not wanted
  expect("{");
  while (!scopes_.empty()) {
    if (peek().text.empty()) error("the file ends in a function");
    statement();
  }
  finish();
}

void Parser::statement() {
  const std::string_view word = peek().text;
  if (accept("{")) {
    scopes_.emplace_back();
  } else if (accept("}")) {
    scopes_.pop_back();
  } else if (accept(";")) {
  } else if (accept(".reg")) {
    declare_registers();
  } else if (accept(".local")) {
    variable(Space::Local);
  } else if (accept(".param")) {
    variable(Space::Param);
  } else if (accept(".shared")) {
    variable(Space::Shared);
  } else if (accept(".global") || accept(".const")) {
    variable(Space::Global);
  } else if (accept(".pragma")) {
    skip_to(";");
  } else if (accept(".loc")) {
    at_ += 3;
    while (accept(",")) {  // , function_name $L__info_string0, inlined_at 1 25 5
      if (next() == "inlined_at")
        at_ += 3;
      else
        next();
    }
  } else if (peek(1).text == ":") {
    if (peek(2).text == ".branchtargets") {
      branch_table();
    } else if (peek(2).text == ".callprototype") {
      skip_to(";");
    } else {
      labels_[word] = static_cast<uint32_t>(function_->code.size());
      at_ += 2;
    }
  } else if (word.starts_with('.')) {
    error("unknown directive");
  } else {
    instruction();
  }
}

void Parser::declare_registers() {  // .reg .b32 %r<3>;  .reg .u32 %lo, %hi;
  next();
  do {
    const std::string_view name = next();
    if (!accept("<")) {
      scopes_.back().registers[std::string(name)] = new_register();
      continue;
    }
    const uint64_t count = number(next());
    expect(">");
    for (uint64_t k = 0; k < count; ++k)
      scopes_.back().registers[std::string(name) + std::to_string(k)] = new_register();
  } while (accept(","));
  expect(";");
}

void Parser::branch_table() {  // $L_brx_0: .branchtargets $L__BB0_2, $L__BB0_3;
  table_of_[next()] = static_cast<uint32_t>(tables_.size());
  at_ += 2;
  tables_.emplace_back();
  do tables_.back().push_back(next());
  while (accept(","));
  expect(";");
}

void Parser::finish() {
  Function& f = *function_;
  const auto find = [&](const auto& map, std::string_view label) {
    const auto found = map.find(label);
    if (found == map.end()) error("no label `" + std::string(label) + "`");
    return found->second;
  };
  for (const auto& [at, label] : jumps_) f.code[at].target = find(labels_, label);
  for (const auto& [at, label] : table_jumps_) f.code[at].target = find(table_of_, label);
  for (const auto& table : tables_) {
    f.tables.emplace_back();
    for (const std::string_view label : table) f.tables.back().push_back(find(labels_, label));
  }
}

std::unique_ptr<Module> parse(std::string_view text, const std::string& path) {
  auto module = std::make_unique<Module>();
  module->path = path;
  Parser(text, *module).file();
  return module;
}

}  // namespace simt::ptx
