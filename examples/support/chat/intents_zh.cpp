// Chinese: names, elements, capitals, sums, opposites, days and months, and what nobody can know.
#include "examples/support/chat/intents.h"

namespace gradus::support {
namespace {

constexpr Language kChinese = Language::Chinese;

void add_names(std::vector<Intent>& all) {
  all.push_back({.skill = "name",
                 .name = "tell",
                 .frame = Frame::Statement,
                 .split = Split::Items,
                 .answer = "很高兴认识你，{a}。",
                 .phrasings = phrasings(R"(
      我叫{a} | 我的名字是{a} | 我是{a} | 你可以叫我{a} | 叫我{a}吧 | 叫我{a} | 大家叫我{a} | 大家都叫我{a} |
      朋友们叫我{a} | 我的名字叫{a} | 请叫我{a} | 我的朋友叫我{a} | 就叫我{a}吧)"),
                 .reserved = phrasings(R"(
      朋友们都叫我{a} | 你就叫我{a}吧 | 我的朋友都叫我{a} | 请叫我{a}吧)"),
                 .draw = draw_chinese_name});
  all.push_back({.skill = "name",
                 .name = "recall",
                 .frame = Frame::Chat,
                 .answer = "你叫{a}。",
                 .phrasings = phrasings(R"(
      我叫什么名字 | 我叫什么 | 我是谁 | 你知道我叫什么吗 | 你知道我的名字吗 | 你记得我的名字吗 |
      你还记得我的名字吗 | 我的名字是什么 | 你记得我叫什么吗 | 说说我的名字。 | 告诉我我的名字。 |
      你知道我是谁吗 | 你还知道我叫什么吗 | 我刚才说我叫什么 | 你记得我是谁吗)"),
                 .reserved = phrasings(R"(
      你还记得我叫什么吗 | 你还记得我是谁吗 | 你还知道我的名字吗 | 你知道我叫什么名字吗)")});
}

Intent element(const char* name, ElementQuestion asked, const char* answer, const char* training,
               const char* reserved) {
  return {.skill = "element",
          .name = name,
          .split = Split::Combinations,
          .answer = answer,
          .phrasings = phrasings(training),
          .reserved = phrasings(reserved),
          .items = element_items(kChinese, asked)};
}

void add_elements(std::vector<Intent>& all) {
  all.push_back(element("symbol of", ElementQuestion::SymbolOf, "{a}的元素符号是{c}。", R"(
      {a}的元素符号是什么 | {a}的化学符号是什么 | {a}的符号是什么 | {a}用什么符号表示 | {a}元素的符号是什么 |
      {a}怎么用符号表示 | 哪个符号表示{a} | 什么符号表示{a} | {a}的元素符号怎么写 | {a}的符号怎么写 |
      告诉我{a}的元素符号。 | 说出{a}的符号。 | 你知道{a}的元素符号吗 | 你知道{a}的符号是什么吗)",
                        R"({a}的化学符号怎么写 | {a}元素用什么符号表示 | 你知道{a}的化学符号吗 |
      说出{a}的元素符号。)"));
  all.push_back(element("name of", ElementQuestion::NameOf, "{a}是{c}的元素符号。", R"(
      {a}是什么元素 | {a}是哪个元素 | {a}是哪种元素 | {a}代表什么元素 | {a}表示什么元素 | {a}代表哪个元素 |
      符号{a}代表什么元素 | 符号{a}是什么元素 | 元素符号{a}是什么元素 | 哪个元素的符号是{a} |
      什么元素的符号是{a} | {a}是什么元素的符号 | {a}是哪个元素的符号 | 说出符号是{a}的元素。)",
                        R"({a}表示哪个元素 | 符号{a}是哪种元素 | 哪种元素的符号是{a} |
      元素符号{a}代表什么元素)"));
  all.push_back(element("number of", ElementQuestion::NumberOf, "{a}的原子序数是{c}。", R"(
      {a}的原子序数是多少 | {a}的原子序数是几 | {a}是几号元素 | {a}是第几号元素 | {a}有多少个质子 |
      {a}有几个质子 | {a}的质子数是多少 | {a}在元素周期表里排第几 | {a}在周期表中排第几 | {a}排第几号 |
      {a}原子有多少个质子 | 告诉我{a}的原子序数。 | 你知道{a}的原子序数吗 | {a}元素的原子序数是多少)",
                        R"({a}原子有几个质子 | {a}在周期表里排第几 | {a}的质子数是几 |
      你知道{a}是几号元素吗)"));
  all.push_back(element("at number", ElementQuestion::AtNumber, "{a}号元素是{c}。", R"(
      {a}号元素是什么 | 第{a}号元素是什么 | {a}号元素是哪个 | 原子序数是{a}的元素是什么 |
      原子序数为{a}的元素是什么 | 哪个元素的原子序数是{a} | 什么元素的原子序数是{a} | 哪个元素有{a}个质子 |
      什么元素有{a}个质子 | 哪种元素有{a}个质子 | 周期表中第{a}号元素是什么 | 说出{a}号元素。 |
      元素周期表里排第{a}的是什么元素)",
                        R"(第{a}号元素是哪个 | 哪种元素的原子序数是{a} | 周期表中{a}号元素是什么 |
      原子序数为{a}的元素是哪个)"));
}

void add_capitals(std::vector<Intent>& all) {
  all.push_back({.skill = "capital",
                 .name = "capital of",
                 .split = Split::Combinations,
                 .answer = "{a}的首都是{c}。",
                 .phrasings = phrasings(R"(
      {a}的首都是哪里 | {a}的首都是什么 | {a}的首都是哪个城市 | {a}的首都在哪里 | 哪个城市是{a}的首都 |
      什么城市是{a}的首都 | {a}首都是哪里 | {a}的首都叫什么 | 你知道{a}的首都吗 | 你知道{a}的首都是哪里吗 |
      告诉我{a}的首都。 | 说出{a}的首都。 | {a}的首都是哪座城市 | {a}的首都叫什么名字)"),
                 .reserved = phrasings(R"(
      {a}首都是哪个城市 | 哪座城市是{a}的首都 | 你知道{a}的首都在哪里吗 | {a}首都叫什么)"),
                 .items = capital_items(kChinese, true)});
  all.push_back({.skill = "capital",
                 .name = "country of",
                 .split = Split::Combinations,
                 .answer = "{a}是{c}的首都。",
                 .phrasings = phrasings(R"(
      {a}是哪个国家的首都 | {a}是哪国的首都 | {a}是什么国家的首都 | 哪个国家的首都是{a} |
      什么国家的首都是{a} | 哪国的首都是{a} | {a}是哪一个国家的首都 | 首都是{a}的国家是哪个 |
      你知道{a}是哪个国家的首都吗 | 以{a}为首都的国家是哪个 | 告诉我{a}是哪个国家的首都。 |
      你知道哪个国家的首都是{a}吗)"),
                 .reserved = phrasings(R"(
      哪一个国家的首都是{a} | 你知道{a}是哪国的首都吗 | 首都是{a}的是哪个国家 |
      你知道什么国家的首都是{a}吗)"),
                 .items = capital_items(kChinese, false)});
}

void add_sums(std::vector<Intent>& all) {
  all.push_back({.skill = "sum",
                 .name = "sum",
                 .split = Split::Items,
                 .answer = "{c}。",
                 .phrasings = phrasings(R"(
      {a}加{b}等于多少 | {a}加{b}等于几 | {a}加{b}是多少 | {a} + {b}等于多少 | {a} + {b} | {a}加{b} |
      {a} + {b}等于几 | {a}加上{b}等于多少 | {a}加上{b}是多少 | {a}和{b}的和是多少 | 算一下{a}加{b}。 |
      计算{a} + {b}。 | {a}与{b}的和是多少 | {a}加{b}得多少 | 告诉我{a}加{b}等于多少。)"),
                 .reserved = phrasings(R"(
      {a} + {b}是多少 | {a}加上{b}等于几 | 算一下{a} + {b}。 | 计算{a}加{b}。 | {a}与{b}的和等于多少)"),
                 .items = sum_items(kChinese)});
  all.push_back({.skill = "difference",
                 .name = "difference",
                 .split = Split::Items,
                 .answer = "{c}。",
                 .phrasings = phrasings(R"(
      {a}减{b}等于多少 | {a}减{b}等于几 | {a}减{b}是多少 | {a} - {b}等于多少 | {a} - {b} | {a}减{b} |
      {a} - {b}等于几 | {a}减去{b}等于多少 | {a}减去{b}是多少 | {a}减{b}得多少 | 算一下{a}减{b}。 |
      计算{a} - {b}。 | {a}减去{b}还剩多少 | {a}拿走{b}还剩多少 | 告诉我{a}减{b}等于多少。)"),
                 .reserved = phrasings(R"(
      {a} - {b}是多少 | {a}减去{b}等于几 | 算一下{a} - {b}。 | 计算{a}减{b}。 | {a}减{b}还剩多少)"),
                 .items = difference_items(kChinese)});
}

void add_opposites(std::vector<Intent>& all) {
  all.push_back({.skill = "opposite",
                 .name = "opposite",
                 .split = Split::Combinations,
                 .answer = "{a}的反义词是{c}。",
                 .phrasings = phrasings(R"(
      {a}的反义词是什么 | {a}的反义词是哪个 | {a}的反义词是哪个词 | 什么是{a}的反义词 | 哪个词是{a}的反义词 |
      什么词和{a}相反 | 哪个词和{a}意思相反 | 和{a}相反的词是什么 | 与{a}相反的词是什么 | 告诉我{a}的反义词。 |
      说出{a}的反义词。 | 你知道{a}的反义词吗 | 你知道{a}的反义词是什么吗 | {a}的反义词怎么说)"),
                 .reserved = phrasings(R"(
      什么词是{a}的反义词 | 什么词和{a}意思相反 | 和{a}意思相反的词是什么 | 你知道哪个词和{a}相反吗)"),
                 .items = opposite_items(kChinese)});
}

void add_days(std::vector<Intent>& all) {
  all.push_back({.skill = "calendar",
                 .name = "day after",
                 .split = Split::Combinations,
                 .answer = "{a}后面是{c}。",
                 .phrasings = phrasings(R"(
      {a}后面是星期几 | {a}之后是星期几 | {a}的后一天是星期几 | {a}的第二天是星期几 | {a}过后是星期几 |
      {a}后面是哪天 | {a}后面是哪一天 | 今天{a}，明天星期几 | 今天是{a}，明天是星期几 | {a}接下来是星期几 |
      如果今天是{a}，明天是星期几 | 告诉我{a}后面是星期几。 | 你知道{a}后面是星期几吗)"),
                 .reserved = phrasings(R"(
      如果今天{a}，明天星期几 | {a}之后是哪一天 | {a}的后一天是哪天 | 告诉我{a}之后是星期几。)"),
                 .items = neighbour_items(days(kChinese), 1)});
  all.push_back({.skill = "calendar",
                 .name = "day before",
                 .split = Split::Combinations,
                 .answer = "{a}前面是{c}。",
                 .phrasings = phrasings(R"(
      {a}前面是星期几 | {a}之前是星期几 | {a}的前一天是星期几 | {a}前一天是星期几 | {a}前面是哪天 |
      {a}前面是哪一天 | 今天{a}，昨天星期几 | 今天是{a}，昨天是星期几 | {a}的前面是星期几 |
      如果今天是{a}，昨天是星期几 | 告诉我{a}前面是星期几。 | 你知道{a}前面是星期几吗)"),
                 .reserved = phrasings(R"(
      如果今天{a}，昨天星期几 | {a}之前是哪一天 | {a}的前一天是哪天 | 告诉我{a}之前是星期几。)"),
                 .items = neighbour_items(days(kChinese), -1)});
}

void add_months(std::vector<Intent>& all) {
  all.push_back({.skill = "calendar",
                 .name = "month after",
                 .split = Split::Combinations,
                 .answer = "{a}后面是{c}。",
                 .phrasings = phrasings(R"(
      {a}后面是几月 | {a}之后是几月 | {a}过后是几月 | {a}的后一个月是几月 | {a}的下一个月是几月 |
      {a}后面是哪个月 | {a}之后是哪个月 | 这个月是{a}，下个月是几月 | {a}接下来是几月 |
      如果这个月是{a}，下个月是几月 | 告诉我{a}后面是几月。 | 你知道{a}后面是几月吗)"),
                 .reserved = phrasings(R"(
      {a}过后是哪个月 | {a}的下一个月是哪个月 | 这个月是{a}，下个月是哪个月 | 告诉我{a}之后是几月。)"),
                 .items = neighbour_items(months(kChinese), 1)});
  all.push_back({.skill = "calendar",
                 .name = "month before",
                 .split = Split::Combinations,
                 .answer = "{a}前面是{c}。",
                 .phrasings = phrasings(R"(
      {a}前面是几月 | {a}之前是几月 | {a}的前一个月是几月 | {a}的上一个月是几月 | {a}前面是哪个月 |
      {a}之前是哪个月 | 这个月是{a}，上个月是几月 | {a}前一个月是几月 | 告诉我{a}前面是几月。 |
      如果这个月是{a}，上个月是几月 | 你知道{a}前面是几月吗)"),
                 .reserved = phrasings(R"(
      {a}的前一个月是哪个月 | {a}的上一个月是哪个月 | 这个月是{a}，上个月是哪个月 | 告诉我{a}之前是几月。)"),
                 .items = neighbour_items(months(kChinese), -1)});
  std::vector<Item> at, number, length;
  for (int m = 1; m <= 12; ++m) {
    const std::string &month = months(kChinese)[m - 1], digits = std::to_string(m);
    at.push_back({digits, "", month});
    number.push_back({month, "", digits});
    length.push_back({month, "", days_in_month(m, kChinese)});
  }
  all.push_back({.skill = "calendar",
                 .name = "month at",
                 .split = Split::Combinations,
                 .answer = "第{a}个月是{c}。",
                 .phrasings = phrasings(R"(
      第{a}个月是几月 | 一年的第{a}个月是几月 | 一年中第{a}个月是几月 | 第{a}个月是哪个月 | 第{a}个月叫什么 |
      一年的第{a}个月叫什么 | 一年里第{a}个月是几月 | 一年的第{a}个月是哪个月 | 说出第{a}个月。 |
      告诉我第{a}个月是几月。 | 你知道第{a}个月是几月吗)"),
                 .reserved = phrasings(R"(
      一年中第{a}个月叫什么 | 一年里第{a}个月是哪个月 | 告诉我第{a}个月叫什么。 | 说出一年的第{a}个月。)"),
                 .items = at});
  all.push_back({.skill = "calendar",
                 .name = "month number",
                 .split = Split::Combinations,
                 .answer = "{a}是第{c}个月。",
                 .phrasings = phrasings(R"(
      {a}是第几个月 | {a}是一年的第几个月 | {a}是一年中的第几个月 | {a}是一年里的第几个月 | {a}排第几 |
      {a}在一年里排第几 | {a}在一年中排第几 | 告诉我{a}是第几个月。 | 你知道{a}是第几个月吗 | {a}是第几月)"),
                 .reserved = phrasings(R"(
      {a}在一年中是第几个月 | {a}在一年里是第几个月 | 你知道{a}排第几吗 | 告诉我{a}排第几。)"),
                 .items = number});
  all.push_back({.skill = "calendar",
                 .name = "month length",
                 .split = Split::Combinations,
                 .answer = "{a}有{c}天。",
                 .phrasings = phrasings(R"(
      {a}有多少天 | {a}有几天 | {a}一共有多少天 | {a}一共有几天 | {a}有多长 | {a}共有多少天 | 你知道{a}有几天吗 |
      {a}的天数是多少 | 告诉我{a}有多少天。 | 你知道{a}有多少天吗 | {a}这个月有多少天)"),
                 .reserved = phrasings(R"(
      {a}共有几天 | {a}这个月有几天 | 告诉我{a}有几天。 | {a}这个月一共有多少天)"),
                 .items = length});
}

Intent unknown(const char* name, std::vector<Item> items, const char* training,
               const char* reserved) {
  return {.skill = "unknown",
          .name = name,
          .split = Split::Combinations,
          .answer = "我不知道。",
          .phrasings = phrasings(training),
          .reserved = phrasings(reserved),
          .items = std::move(items)};
}

void add_unknown(std::vector<Intent>& all) {
  add_unknown_twins(all, "我不知道。", "我还不知道你叫什么。", draw_chinese_country,
                    draw_chinese_element);
  all.push_back(unknown(
      "lost things", crossed_items("钥匙|眼镜|鞋子|手套|书包|手机|钱包|雨伞|帽子|袜子"),
      R"(我的{a}在哪里 | 我的{a}在哪儿 | 我把{a}放在哪里了 | 你知道我的{a}在哪里吗 | 我的{a}去哪儿了 |
      我的{a}放在哪里了 | 我把{a}放在哪儿了 | 告诉我我的{a}在哪里。)",
      R"(你知道我的{a}在哪儿吗 | 你知道我把{a}放在哪里了吗 | 我的{a}去哪里了 |
      我的{a}放在哪儿了)"));
  all.push_back(unknown(
      "private", crossed_items("电话号码|生日|密码|地址|秘密|门牌号|银行账号|幸运数字"), R"(
      我的{a}是什么 | 我的{a}是多少 | 你知道我的{a}吗 | 告诉我我的{a}。 | 你能猜出我的{a}吗 | 你记得我的{a}吗 |
      我的{a}你知道吗 | 说说我的{a}。 | 猜猜我的{a}。)",
      R"(你能说说我的{a}吗 | 你知道我的{a}是什么吗 | 你能告诉我我的{a}吗 | 我的{a}你能猜出吗)"));
  constexpr const char* kTimes = "明天|今晚|下周|下个月|明年|后天|星期天|这个周末";
  all.push_back(
      unknown("winner", crossed_items("比赛|选举|球赛|赛跑|棋赛|决赛", kTimes), R"(
      谁会赢得{b}的{a} | {b}的{a}谁会赢 | {b}的{a}谁能赢 | 谁能赢得{b}的{a} | 你知道{b}的{a}谁会赢吗 |
      你知道谁会赢得{b}的{a}吗 | 猜猜{b}的{a}谁会赢。 | 告诉我谁会赢得{b}的{a}。)",
              R"(你知道{b}的{a}谁能赢吗 | 你知道谁能赢得{b}的{a}吗 | 告诉我{b}的{a}谁会赢。 |
      猜猜谁会赢得{b}的{a}。)"));
  all.push_back(unknown("lottery numbers", crossed_items(kTimes), R"(
      {a}的彩票号码是多少 | {a}的彩票号码是什么 | {a}的中奖号码是多少 | {a}彩票开什么号码 | {a}哪些号码会中奖 |
      你知道{a}的彩票号码吗 | 告诉我{a}的彩票号码。 | {a}彩票开哪些号码)",
                        R"({a}的中奖号码是什么 | {a}什么号码会中奖 | 你知道{a}的中奖号码吗 |
      告诉我{a}的中奖号码。)"));
  all.push_back(unknown(
      "past", crossed_items("吃|买|读|喝|看|写|学|画", "昨天|前天|今天早上|上周|昨晚|去年|星期天"),
      R"(
      我{b}{a}了什么 | {b}我{a}了什么 | 你知道我{b}{a}了什么吗 | 你知道{b}我{a}了什么吗 | 猜猜我{b}{a}了什么。 |
      你能猜出我{b}{a}了什么吗 | 告诉我我{b}{a}了什么。)",
      R"(你能猜出{b}我{a}了什么吗 | 猜猜{b}我{a}了什么。 | 告诉我{b}我{a}了什么。 |
      我{b}都{a}了什么)"));
}

}  // namespace

std::vector<Intent> chinese_skills() {
  std::vector<Intent> all;
  add_names(all);
  add_elements(all);
  add_capitals(all);
  add_sums(all);
  add_opposites(all);
  add_days(all);
  add_months(all);
  add_unknown(all);
  return all;
}

}  // namespace gradus::support
