// The tables behind facts.h. Capitals are general geographical knowledge (United Nations member
// states, English short names, usual Chinese names). Countries whose capital is disputed, about to
// move, or named like the country are left out. Opposites are chosen so that no word has two.
#include "examples/support/chat/facts.h"

#include "tensor/error.h"

namespace gradus::support {
namespace {

// Words separated by white space.
std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> out;
  std::string word;
  for (char c : text + " ") {
    if (c != ' ' && c != '\n') {
      word += c;
    } else if (!word.empty()) {
      out.push_back(std::move(word));
      word.clear();
    }
  }
  return out;
}

std::vector<WordPair> pairs(const std::string& text) {
  const std::vector<std::string> all = words(text);
  std::vector<WordPair> out;
  for (size_t i = 0; i + 1 < all.size(); i += 2) out.push_back({all[i], all[i + 1]});
  return out;
}

}  // namespace

const std::vector<Capital>& capitals() {
  // clang-format off
  static const std::vector<Capital> table{
    {"France", "Paris", "法国", "巴黎"}, {"Germany", "Berlin", "德国", "柏林"},
    {"Italy", "Rome", "意大利", "罗马"}, {"Spain", "Madrid", "西班牙", "马德里"},
    {"Portugal", "Lisbon", "葡萄牙", "里斯本"}, {"the United Kingdom", "London", "英国", "伦敦"},
    {"Ireland", "Dublin", "爱尔兰", "都柏林"}, {"the Netherlands", "Amsterdam", "荷兰", "阿姆斯特丹"},
    {"Belgium", "Brussels", "比利时", "布鲁塞尔"}, {"Switzerland", "Bern", "瑞士", "伯尔尼"},
    {"Austria", "Vienna", "奥地利", "维也纳"}, {"Denmark", "Copenhagen", "丹麦", "哥本哈根"},
    {"Norway", "Oslo", "挪威", "奥斯陆"}, {"Sweden", "Stockholm", "瑞典", "斯德哥尔摩"},
    {"Finland", "Helsinki", "芬兰", "赫尔辛基"}, {"Iceland", "Reykjavik", "冰岛", "雷克雅未克"},
    {"Poland", "Warsaw", "波兰", "华沙"}, {"Czechia", "Prague", "捷克", "布拉格"},
    {"Hungary", "Budapest", "匈牙利", "布达佩斯"}, {"Romania", "Bucharest", "罗马尼亚", "布加勒斯特"},
    {"Bulgaria", "Sofia", "保加利亚", "索非亚"}, {"Greece", "Athens", "希腊", "雅典"},
    {"Croatia", "Zagreb", "克罗地亚", "萨格勒布"}, {"Serbia", "Belgrade", "塞尔维亚", "贝尔格莱德"},
    {"Ukraine", "Kyiv", "乌克兰", "基辅"}, {"Russia", "Moscow", "俄罗斯", "莫斯科"},
    {"Estonia", "Tallinn", "爱沙尼亚", "塔林"}, {"Latvia", "Riga", "拉脱维亚", "里加"},
    {"Lithuania", "Vilnius", "立陶宛", "维尔纽斯"}, {"Turkey", "Ankara", "土耳其", "安卡拉"},
    {"Egypt", "Cairo", "埃及", "开罗"}, {"Morocco", "Rabat", "摩洛哥", "拉巴特"},
    {"Kenya", "Nairobi", "肯尼亚", "内罗毕"}, {"Ethiopia", "Addis Ababa", "埃塞俄比亚", "亚的斯亚贝巴"},
    {"Ghana", "Accra", "加纳", "阿克拉"}, {"Nigeria", "Abuja", "尼日利亚", "阿布贾"},
    {"Senegal", "Dakar", "塞内加尔", "达喀尔"}, {"China", "Beijing", "中国", "北京"},
    {"Japan", "Tokyo", "日本", "东京"}, {"South Korea", "Seoul", "韩国", "首尔"},
    {"Mongolia", "Ulaanbaatar", "蒙古", "乌兰巴托"}, {"India", "New Delhi", "印度", "新德里"},
    {"Nepal", "Kathmandu", "尼泊尔", "加德满都"}, {"Pakistan", "Islamabad", "巴基斯坦", "伊斯兰堡"},
    {"Thailand", "Bangkok", "泰国", "曼谷"}, {"Vietnam", "Hanoi", "越南", "河内"},
    {"Malaysia", "Kuala Lumpur", "马来西亚", "吉隆坡"}, {"the Philippines", "Manila", "菲律宾", "马尼拉"},
    {"Iran", "Tehran", "伊朗", "德黑兰"}, {"Iraq", "Baghdad", "伊拉克", "巴格达"},
    {"Jordan", "Amman", "约旦", "安曼"}, {"Lebanon", "Beirut", "黎巴嫩", "贝鲁特"},
    {"Saudi Arabia", "Riyadh", "沙特阿拉伯", "利雅得"}, {"Canada", "Ottawa", "加拿大", "渥太华"},
    {"the United States", "Washington", "美国", "华盛顿"}, {"Mexico", "Mexico City", "墨西哥", "墨西哥城"},
    {"Cuba", "Havana", "古巴", "哈瓦那"}, {"Jamaica", "Kingston", "牙买加", "金斯敦"},
    {"Brazil", "Brasilia", "巴西", "巴西利亚"}, {"Argentina", "Buenos Aires", "阿根廷", "布宜诺斯艾利斯"},
    {"Chile", "Santiago", "智利", "圣地亚哥"}, {"Peru", "Lima", "秘鲁", "利马"},
    {"Colombia", "Bogota", "哥伦比亚", "波哥大"}, {"Ecuador", "Quito", "厄瓜多尔", "基多"},
    {"Venezuela", "Caracas", "委内瑞拉", "加拉加斯"}, {"Uruguay", "Montevideo", "乌拉圭", "蒙得维的亚"},
    {"Australia", "Canberra", "澳大利亚", "堪培拉"}, {"New Zealand", "Wellington", "新西兰", "惠灵顿"},
  };
  // clang-format on
  return table;
}

const std::vector<WordPair>& opposites(Language language) {
  static const std::vector<WordPair> english = pairs(R"(
    hot cold  big small  old young  fast slow  high low  light dark  day night  up down
    left right  open closed  full empty  happy sad  rich poor  strong weak  wet dry
    clean dirty  early late  easy difficult  long short  near far  loud quiet  hard soft
    thick thin  true false  wide narrow  first last  begin end  buy sell  win lose
    love hate  push pull  inside outside  always never  more less  black white  good bad
    deep shallow  beautiful ugly  safe dangerous  cheap expensive)");
  static const std::vector<WordPair> chinese = pairs(R"(
    大 小  多 少  高 低  长 短  快 慢  冷 热  新 旧  好 坏  黑 白  上 下  左 右  前 后
    里 外  远 近  轻 重  早 晚  真 假  开 关  买 卖  胖 瘦  干 湿  软 硬  深 浅  厚 薄
    强 弱  南 北  来 去  进 出  哭 笑  爱 恨  粗 细  宽 窄  空 满  明 暗  安全 危险
    简单 复杂  美丽 丑陋  勇敢 胆小  成功 失败  开始 结束)");
  return language == Language::English ? english : chinese;
}

const std::vector<std::string>& days(Language language) {
  static const std::vector<std::string> english =
      words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday");
  static const std::vector<std::string> chinese =
      words("星期一 星期二 星期三 星期四 星期五 星期六 星期日");
  return language == Language::English ? english : chinese;
}

const std::vector<std::string>& months(Language language) {
  static const std::vector<std::string> english = words(
      "January February March April May June July August September October November December");
  static const std::vector<std::string> chinese =
      words("一月 二月 三月 四月 五月 六月 七月 八月 九月 十月 十一月 十二月");
  return language == Language::English ? english : chinese;
}

const std::vector<std::string>& ordinals() {
  static const std::vector<std::string> list =
      words("first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth");
  return list;
}

std::string days_in_month(int month, Language language) {
  check<ValueError>(month >= 1 && month <= 12, "days_in_month: no month has number {}; use 1 to 12",
                    month);
  if (month == 2) return language == Language::English ? "28 or 29" : "28天或29";
  return month == 4 || month == 6 || month == 9 || month == 11 ? "30" : "31";
}

const std::vector<std::string>& english_names() {
  static const std::vector<std::string> list = words(R"(
    Ada Adam Alan Alex Alice Amelia Amy Andrew Anna Anthony Arthur Barbara Ben Betty Brian Carl
    Carol Charles Charlotte Chloe Chris Clara Daisy Daniel David Diana Donald Dorothy Edgar
    Edward Elena Elizabeth Ella Emily Emma Eric Ethan Eva Fiona Florence Frank Fred George Grace
    Hannah Harold Harry Helen Henry Hugo Ian Ida Irene Isaac Isabel Ivan Jack Jacob James Jane Jason
    Jenny Joan John Joseph Julia Karen Kate Kevin Larry Laura Leo Lily Linda Lisa Louis Lucas Lucy
    Luke Marcus Margaret Maria Mark Martha Martin Mary Matthew Max Mia Michael Nancy Nathan Nick
    Noah Nora Oliver Olivia Oscar Pamela Patrick Paul Peter Philip Rachel Ralph Richard Robert Roger
    Rosa Ruth Ryan Sam Sandra Sarah Simon Sophia Stella Steven Susan Thomas Tina Tom Victor Vera
    Walter William Zoe)");
  return list;
}

const std::vector<std::string>& chinese_family_names() {
  static const std::vector<std::string> list = words(R"(
    王 李 张 刘 陈 杨 黄 赵 周 吴 徐 孙 马 朱 胡 郭 何 林 罗 郑 梁 谢 宋 唐 许 韩 冯 邓 曹 彭
    曾 肖 田 董 潘 袁 蔡 蒋 余 于 杜 叶 程 魏 苏 吕 丁 任 卢 姚)");
  return list;
}

const std::vector<std::string>& chinese_given_characters() {
  static const std::vector<std::string> list = words(R"(
    伟 芳 娜 敏 静 丽 强 磊 洋 艳 勇 军 杰 娟 涛 超 明 霞 平 刚 玉 兰 英 华 文 斌 梅 鑫 宇 浩
    凯 健 俊 帆 雪 琳 晨 辉 思 佳 欣 怡 婷 慧 建 国 志 海 山 云 龙 雨 春 秋 月 星 天 嘉 子 轩
    梦 洁 诗 涵 梓 博 泽 瑞 雅 萍 红 玲 燕 琴 莉 珍 贵 波 宁 峰 飞 鹏 旭 阳 光 东 安 乐 康 晓)");
  return list;
}

}  // namespace gradus::support
