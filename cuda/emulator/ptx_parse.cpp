// Turns a PTX file into its functions.
#include "cuda/emulator/ptx_parser.h"

#include <algorithm>

namespace simt::ptx {

Type type_of(std::string_view name) {
  static const std::map<std::string_view, Type> types = {
      // clang-format off
      {"pred", Type::Pred}, {"b8", Type::B8}, {"u8", Type::U8}, {"s8", Type::S8},
      {"b16", Type::B16}, {"u16", Type::U16}, {"s16", Type::S16}, {"f16", Type::F16},
      {"bf16", Type::BF16},
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

void Parser::body() {
  constants_.clear();
  labels_.clear();
  table_of_.clear();
  jumps_.clear();
  table_jumps_.clear();
  tables_.clear();
  new_register();  // register 0 takes results that are not wanted
  expect("{");
  while (!scopes_.empty()) {
    if (peek().text.empty()) error("the file ends inside a function");
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
