// Turns the body of a function into instructions that know their handlers.
#include <algorithm>

#include "cuda/emulator/ptx_parser.h"

namespace simt::ptx {
namespace {

constexpr std::pair<std::string_view, Special> kSpecials[] = {
    // clang-format off
    {"%tid.x", Special::TidX}, {"%tid.y", Special::TidY}, {"%tid.z", Special::TidZ},
    {"%ntid.x", Special::NtidX}, {"%ntid.y", Special::NtidY}, {"%ntid.z", Special::NtidZ},
    {"%ctaid.x", Special::CtaidX}, {"%ctaid.y", Special::CtaidY}, {"%ctaid.z", Special::CtaidZ},
    {"%nctaid.x", Special::NctaidX}, {"%nctaid.y", Special::NctaidY},
    {"%nctaid.z", Special::NctaidZ},
    {"%laneid", Special::LaneId}, {"%warpid", Special::WarpId},
    {"%clock", Special::Clock}, {"%clock64", Special::Clock},
    {"%lanemask_eq", Special::LanemaskEq}, {"%lanemask_le", Special::LanemaskLe},
    {"%lanemask_lt", Special::LanemaskLt}, {"%lanemask_ge", Special::LanemaskGe},
    {"%lanemask_gt", Special::LanemaskGt},
    // clang-format on
};

}  // namespace

bool Name::has(std::string_view modifier) const {
  return std::find(part.begin() + 1, part.end(), modifier) != part.end();
}

// ---- Instructions -------------------------------------------------------------------------------

void Parser::instruction() {
  Instruction i;
  const size_t begin = peek().begin;
  const int line = peek().line;
  if (accept("@")) {
    i.guarded = true;
    i.guard = operand();
  }
  const std::string_view word = next();
  Name name{std::string(word), {}};
  for (size_t from = 0; from <= name.full.size();) {
    const size_t dot = std::min(name.full.find('.', from), name.full.size());
    name.part.push_back(std::string_view(name.full).substr(from, dot - from));
    from = dot + 1;
  }
  const bool branch = name.part[0] == "bra";
  if (branch) {
    jumps_.emplace_back(function_->code.size(), next());
  } else if (name.part[0] == "brx") {
    i.operand[i.operands++] = operand();
    expect(",");
    table_jumps_.emplace_back(function_->code.size(), next());
  } else if (name.part[0] == "call") {
    call(i);
  } else {
    operands(i);
  }
  if (peek().text != ";") error("expected `;` after " + std::string(word));
  std::string text(text_.substr(begin, peek().begin - begin));
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\n'; };
  std::replace_if(text.begin(), text.end(), blank, ' ');
  const auto twice = [](char a, char b) { return a == ' ' && b == ' '; };
  text.erase(std::unique(text.begin(), text.end(), twice), text.end());
  for (const auto find : {find_integer, find_float, find_comparison, find_half, find_convert,
                          find_memory, find_control})
    if (!i.run) i.run = find(name, i);
  if (!i.run) error("unknown instruction `" + text + ";`");
  function_->source.push_back({line, std::move(text)});
  expect(";");
  function_->code.push_back(i);
}

void Parser::operands(Instruction& i) {
  const auto add = [&](Operand operand) {
    if (i.operands == i.operand.size()) error("too many operands");
    i.operand[i.operands++] = operand;
  };
  for (bool first = true; peek().text != ";"; first = false) {
    if (!first) expect(",");
    if (accept("{")) {
      do add(operand());
      while (accept(","));
      expect("}");
      if (first) i.leading = i.operands;
    } else if (peek().text == "[") {
      address(i);
    } else {
      add(operand());
      if (accept("|")) i.second = operand();
    }
  }
}

void Parser::address(Instruction& i) {  // [%rd1], [%rd1+8], [%rd1+-8], [parameter+8]
  expect("[");
  if (i.operands == i.operand.size()) error("too many operands");
  i.operand[i.operands++] = operand();
  if (accept("+")) i.offset = static_cast<int32_t>(number(next()));
  expect("]");
}

// call (result), function, (argument, …); The function may be a register. Then its prototype
// follows.
void Parser::call(Instruction& i) {
  Call c;
  if (peek().text == "(") {
    c.results = slices();
    expect(",");
  }
  c.callee = operand();
  if (accept(",") && peek().text == "(") c.arguments = slices();
  if (accept(",")) next();
  i.target = static_cast<uint32_t>(function_->calls.size());
  function_->calls.push_back(std::move(c));
}

std::vector<Slice> Parser::slices() {
  std::vector<Slice> list;
  expect("(");
  while (!accept(")")) {
    const std::string_view name = next();
    const auto scope = std::find_if(scopes_.rbegin(), scopes_.rend(),
                                    [&](const Scope& s) { return s.slices.contains(name); });
    if (scope == scopes_.rend()) error("no .param `" + std::string(name) + "`");
    list.push_back(scope->slices.at(name));
    accept(",");
  }
  return list;
}

Operand Parser::operand() {
  const bool negated = accept("!");
  const std::string_view word = next();
  return Operand(is_number(word) ? constant(number(word)) : named(word), negated);
}

uint32_t Parser::named(std::string_view name) {
  if (name == "_") return 0;
  if (name == "WARP_SZ") return constant(32);
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    if (const auto r = scope->registers.find(name); r != scope->registers.end()) return r->second;
    if (const auto s = scope->slices.find(name); s != scope->slices.end()) {
      const uint32_t reg = new_register();
      function_->frame_addresses.emplace_back(reg, s->second.offset);
      scope->registers[std::string(name)] = reg;
      return reg;
    }
  }
  for (const auto& [known, special] : kSpecials) {
    if (known != name) continue;
    const uint32_t reg = new_register();
    function_->specials.emplace_back(reg, special);
    scopes_.front().registers[std::string(name)] = reg;
    return reg;
  }
  return constant(address_of(name));
}

uint32_t Parser::constant(uint64_t value) {
  const auto [entry, fresh] = constants_.try_emplace(value, 0u);
  if (fresh) entry->second = new_register(value);
  return entry->second;
}

uint32_t Parser::new_register(uint64_t value) {
  function_->registers.push_back(value);
  return static_cast<uint32_t>(function_->registers.size() - 1);
}

}  // namespace simt::ptx
