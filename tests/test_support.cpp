// What the examples share: files from outside (CSV, gzip), metrics against values worked out by
// hand, tables, progress in a pipe, and the programs that draw.
#include <doctest/doctest.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <functional>

#include "examples/support/data/csv.h"
#include "examples/support/data/gzip.h"
#include "examples/support/run/number.h"
#include "examples/support/run/options.h"
#include "examples/support/show/gnuplot.h"
#include "examples/support/show/metrics.h"
#include "examples/support/show/plot.h"
#include "examples/support/show/process.h"
#include "examples/support/show/progress.h"
#include "examples/support/show/terminal.h"
#include "nn/file.h"
#include "tensor/error.h"
#include "tests/scratch.h"

using namespace gradus;
using namespace gradus::support;
namespace fs = std::filesystem;

namespace {

std::string gzip(const std::string& bytes) {
  Scratch folder;
  const fs::path path = folder.dir / "x.gz";
  gzFile zipped = gzopen(path.c_str(), "wb");
  gzwrite(zipped, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(zipped);
  FILE* plain = std::fopen(path.c_str(), "rb");  // not read_file, which would unpack it
  std::string out(fs::file_size(path), '\0');
  REQUIRE(std::fread(out.data(), 1, out.size(), plain) == out.size());
  std::fclose(plain);
  return out;
}

std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) { return e.what(); }
  return "(nothing thrown)";
}

}  // namespace

TEST_CASE(
    "support: read_unpacked unpacks gzip and notices every truncation and every flipped byte") {
  Scratch folder;
  const fs::path path = folder.dir / "x";
  std::string text;
  for (int i = 0; i < 300; ++i) text += std::to_string(i * i) + "\n";
  write_file(path, text);
  CHECK(read_unpacked(path) == text);
  const std::string packed = gzip(text);
  write_file(path, packed);
  CHECK(read_unpacked(path) == text);
  CHECK_THROWS_AS(read_unpacked(path, 100), IoError);
  // Below 18 bytes, its header and trailer, zlib cannot tell a gzip file from a plain one.
  for (size_t n = 18; n < packed.size(); ++n) {
    write_file(path, packed.substr(0, n));
    CHECK_THROWS_AS(read_unpacked(path), IoError);
  }
  for (size_t i = 10; i < packed.size(); ++i) {  // after the header, whose fields may vary
    std::string damaged = packed;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    write_file(path, damaged);
    std::string unpacked;
    try {
      unpacked = read_unpacked(path);
    } catch (const IoError&) { continue; }
    CHECK(unpacked == text);  // a flipped bit of padding changes nothing
  }
  CHECK_THROWS_AS(read_unpacked(folder.dir), IoError);
  CHECK_THROWS_AS(read_unpacked(folder.dir / "absent"), IoError);
}

TEST_CASE("support: CSV reads quotes, comments, LF and CR LF, and numbers") {
  const Csv csv =
      Csv::parse("# source\na,\"b, c\"\r\n1.5,\"say \"\"hi\"\"\"\n-2e3,\"two\nlines\"", "t");
  CHECK(csv.rows() == 2);
  CHECK(csv.header() == std::vector<std::string>{"a", "b, c"});
  CHECK(csv.number(0, 0) == 1.5);
  CHECK(csv.number(1, 0) == -2000);
  CHECK(csv.text(0, 1) == "say \"hi\"");
  CHECK(csv.text(1, 1) == "two\nlines");
  CHECK(csv.column("b, c") == 1);
}

TEST_CASE("support: CSV accepts a byte order mark, CR, blank lines at the end, and +1e3") {
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    const Csv csv = Csv::parse(
        "\xEF\xBB\xBF# source" + end + "a,b" + end + "+1e3, 2 " + end + end + end, "t.csv");
    REQUIRE(csv.rows() == 1);
    CHECK(csv.number(0, 0) == 1000);
    CHECK(csv.number(0, 1) == 2);
  }
}

TEST_CASE("support: numbers as people write them") {
  const auto integer_or_minus_1 = [](const char* text) {
    int64_t n = -1;
    return parse_number(text, n) == std::errc{} ? n : -1;
  };
  CHECK(integer_or_minus_1("1e3") == 1000);
  CHECK(integer_or_minus_1(" +7 ") == 7);
  CHECK(integer_or_minus_1("2.0") == 2);
  CHECK(integer_or_minus_1("9223372036854775807") == INT64_MAX);
  for (const char* text : {"", " ", "1.5", "1e30", "9223372036854775808", "+-1", "++1", "1 2", "x",
                           "nan", "inf", "0x10"})
    CHECK_MESSAGE(integer_or_minus_1(text) == -1, text);
  uint64_t n = 5;
  CHECK(parse_number("-1e2", n) == std::errc::result_out_of_range);
  CHECK(parse_number("-1", n) != std::errc{});
  CHECK(n == 5);
  double x = 0;
  CHECK(parse_number("+1.5", x) == std::errc{});
  CHECK(x == 1.5);
}

TEST_CASE("support: CSV errors name the line and the column") {
  const auto error = [](const char* text) {
    return message_of([&] { (void)Csv::parse(text, "t.csv").number(0, 1); });
  };
  CHECK(error("a,b\n1\n").find("t.csv:2: 1 fields, but the header has 2") == 0);
  CHECK(error("a,b\n1,2,3\n").find("t.csv:2: 3 fields") == 0);
  CHECK(error("a,b\n1,2\"\n").find("t.csv:2:4: a quote inside") == 0);
  CHECK(error("a,b\n1,\"2\" \n").find("t.csv:2:6: text after a quoted field") == 0);
  CHECK(error("a,b\n1,\"2\n").find("t.csv:3:1: the file ends inside a quoted field") == 0);
  CHECK(error("a,b\n1,x\n").find("t.csv:2: field 2 (b): 'x' is not a number") == 0);
  for (const char* field : {"", "1x", "+ 1", "nan", "inf", "1e999", "0x10", "1 2"})
    CHECK_MESSAGE(error(("a,b\n1," + std::string(field) + "\n").c_str()).find("is not a number") !=
                      std::string::npos,
                  field);
  CHECK(error("").find("the table is empty") != std::string::npos);
  CHECK(message_of([] { (void)Csv::parse("a,b\n", "t").column("c"); }) ==
        "t: no column 'c'; its columns are: a, b");
  CHECK_THROWS_AS((void)Csv::parse("a\n1\n", "t").text(1, 0), IndexError);
}

TEST_CASE("support: Csv reads what write_csv writes") {
  Scratch folder;
  const std::vector<std::vector<std::string>> rows = {{"1", "a,b"}, {"2", "\"q\"\r\nx"}, {"", ""}};
  write_csv(folder.dir / "t.csv", {"n", "text"}, rows);
  const Csv csv = Csv::read(folder.dir / "t.csv");
  REQUIRE(csv.rows() == 3);
  for (int64_t r = 0; r < 3; ++r)
    for (int64_t c = 0; c < 2; ++c) CHECK(csv.text(r, c) == rows[r][c]);
}

TEST_CASE("support: confusion matrix, precision, recall and F1 worked out by hand") {
  // Of four a, three are found, with one false alarm; of three b, one. c is only predicted.
  const Confusion m({"a", "b", "c"}, {0, 0, 0, 0, 1, 1, 1}, {0, 0, 0, 1, 1, 0, 2});
  CHECK(m.count(0, 0) == 3);
  CHECK(m.count(0, 1) == 1);
  CHECK(m.count(1, 0) == 1);
  CHECK(m.accuracy() == doctest::Approx(4.0 / 7));
  CHECK(m.precision(0) == doctest::Approx(3.0 / 4));
  CHECK(m.recall(0) == doctest::Approx(3.0 / 4));
  CHECK(m.precision(1) == doctest::Approx(1.0 / 2));
  CHECK(m.recall(1) == doctest::Approx(1.0 / 3));
  CHECK(m.f1(1) == doctest::Approx(2.0 / 5));
  CHECK(m.precision(2) == 0);
  CHECK(m.recall(2) == 0);
  CHECK(m.f1(2) == 0);
  CHECK(m.macro_f1() == doctest::Approx((0.75 + 0.4) / 3));
  CHECK(m.values() == std::vector<double>{3, 1, 0, 1, 1, 1, 0, 0, 0});
  CHECK_THROWS_AS(Confusion({"a", "b"}, {0}, {2}), IndexError);
  CHECK_THROWS_AS(Confusion({"a", "b"}, {-1}, {0}), IndexError);
  CHECK_THROWS_AS(Confusion({"a", "b"}, {0, 1}, {0}), ValueError);
}

TEST_CASE("support: the ROC curve and its area, where ties count half") {
  const Roc perfect = roc_curve({0, 0, 1, 1}, {0.1, 0.2, 0.3, 0.4});
  CHECK(perfect.auc == 1);
  CHECK(roc_curve({1, 1, 0, 0}, {0.1, 0.2, 0.3, 0.4}).auc == 0);
  CHECK(roc_curve({1, 0, 1, 0}, {5, 5, 5, 5}).auc == 0.5);
  // Pairs of a positive and a negative: (.8, .6), (.8, .4) and (.6, .4) win, (.6, .6) ties: 3.5 of
  // 4.
  const Roc roc = roc_curve({1, 1, 0, 0}, {0.8, 0.6, 0.6, 0.4});
  CHECK(roc.auc == doctest::Approx(3.5 / 4));
  CHECK(roc.false_positive_rate == std::vector<double>{0, 0, 0.5, 1});
  CHECK(roc.true_positive_rate == std::vector<double>{0, 0.5, 1, 1});
  CHECK(std::isinf(roc.threshold[0]));
  CHECK(roc.threshold[1] == 0.8);
  CHECK_THROWS_AS(roc_curve({1, 1}, {0.1, 0.2}), ValueError);
  CHECK_THROWS_AS(roc_curve({1, 2}, {0.1, 0.2}), ValueError);
  CHECK_THROWS_AS(roc_curve({1, 0}, {0.1, NAN}), ValueError);
  CHECK_THROWS_AS(roc_curve({1, 0}, {0.1}), ValueError);
}

TEST_CASE("support: the area equals a count over all pairs on scores with many ties") {
  std::vector<int64_t> truth;
  std::vector<double> score;
  double wins = 0, pairs = 0;
  for (int i = 0; i < 200; ++i) {
    truth.push_back(i * 7919 % 13 < 5);
    score.push_back(i * 104729 % 17 + 2.0 * static_cast<double>(truth.back()));
  }
  for (size_t p = 0; p < truth.size(); ++p)
    for (size_t n = 0; n < truth.size(); ++n)
      if (truth[p] == 1 && truth[n] == 0) {
        ++pairs;
        if (score[p] > score[n]) wins += 1;
        if (score[p] == score[n]) wins += 0.5;
      }
  CHECK(roc_curve(truth, score).auc == doctest::Approx(wins / pairs).epsilon(1e-12));
}

TEST_CASE("support: the width of text on a terminal") {
  CHECK(display_width("abc") == 3);
  CHECK(display_width("é") == 1);
  CHECK(display_width("e\u0301") == 1);  // e and a combining accent
  CHECK(display_width("今天") == 4);
  CHECK(display_width("\xFF\xC3") == 2);  // not UTF-8: a column per byte; stops at the end
  CHECK(fit("abcdef", 4) == "abc…");
  CHECK(fit("今天天气", 6) == "今天…");
  CHECK(fit("abc", 3) == "abc");
  CHECK(fit("abc", 0) == "");
  CHECK(pad("今", 4) == "今  ");
  CHECK(pad("今", 4, true) == "  今");
  Table table({"name", "n"});
  table.row({"今天", "10"}).row({"a", "5"});
  CHECK(table.text() == "  name   n\n  今天  10\n  a      5\n");
  CHECK_THROWS_AS(table.row({"x"}), ValueError);
}

TEST_CASE("support: the progress bar fills up, says the time left and stays within the width") {
  CHECK(progress_line("job", 5, 10, 60, "loss 1", 80, false) ==
        "job ####################....................  50 %  1:00 left  loss 1");
  CHECK(progress_line("job", 0, 10, 0, "", 80, true).find("  0 %") != std::string::npos);
  CHECK(progress_line("job", 10, 10, 61.5, "", 80, true).find("█ 100 %  1:01") !=
        std::string::npos);
  for (int columns = 1; columns < 90; ++columns)
    for (int64_t done : {0, 1, 3, 7})
      CHECK(display_width(progress_line("学习", done, 7, 12, "loss 0.1 今天", columns, true)) <=
            columns);
  CHECK(duration(0.5) == "0.50 s");
  CHECK(duration(75) == "1:15");
  CHECK(duration(3723) == "1:02:03");
}

TEST_CASE("support: progress in a pipe is about ten plain lines, the last one at 100 %") {
  for (int64_t total : {1, 7, 10, 1000}) {
    FILE* file = std::tmpfile();
    REQUIRE(file != nullptr);
    {
      Progress bar("train", total, file);
      for (int64_t i = 1; i <= total; ++i) bar.step("loss {}", i);
    }
    std::rewind(file);
    std::string text(100000, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), file));
    std::fclose(file);
    CHECK(std::count(text.begin(), text.end(), '\n') == std::min<int64_t>(total, 10));
    CHECK(text.find_first_of("\r\033") == std::string::npos);
    CHECK(text.find("train 100 %") != std::string::npos);
    CHECK(text.find(fmt::format("loss {}\n", total)) != std::string::npos);
  }
}

TEST_CASE("support: run_filter with programs that are missing, fail or read nothing") {
  Scratch folder;
  const fs::path out = folder.dir / "out; touch hacked";
  CHECK(run_filter({"cat"}, "a $(b) `c`\n", out) == Filter::Done);
  CHECK(read_unpacked(out) == "a $(b) `c`\n");
  CHECK(run_filter({"no-such-program-anywhere"}, "", out) == Filter::NotInstalled);
  CHECK(read_unpacked(out) == "a $(b) `c`\n");
  const std::string message = message_of([&] {
    run_filter({"sh", "-c", "echo broken >&2; exit 3"}, "", out);
  });
  CHECK(message.find("status 3: broken") != std::string::npos);
  CHECK(read_unpacked(out) == "a $(b) `c`\n");
  CHECK(run_filter({"true"}, std::string(1 << 20, 'x'), out) == Filter::Done);
}

TEST_CASE("support: only valid settings of an earlier run are adopted") {
  const Scratch folder;
  std::string program = "x", option = "--out", where = folder / "out";
  std::array<char*, 3> arguments{program.data(), option.data(), where.data()};
  Example app(3, arguments.data(), "x", "");
  double rate = 0.1;
  app.option("--rate", rate, "", {.min = 0, .max = 1});
  app.parse();
  app.adopt({{"--rate", "0.5"}}, {"--rate"}, "");
  CHECK(rate == 0.5);
  for (const char* bad : {"nan", "2", "0.5x", ""})
    CHECK_THROWS_AS(app.adopt({{"--rate", bad}}, {"--rate"}, ""), IoError);
  CHECK(rate == 0.5);
}

TEST_CASE("support: plots check their data and write their numbers") {
  CHECK_THROWS_AS(Panel().line("a", {1, 2}, {1}), ValueError);
  CHECK_THROWS_AS(Panel().matrix({1, 2, 3}, {"r"}, {"a", "b"}), ValueError);
  CHECK_THROWS_AS(Panel().image({1, 2, 3}, 2, 2), ValueError);
  CHECK_THROWS_AS(Panel().points_by_class({"a"}, {0}, {1, 2}, {1, 2}), ValueError);
  Scratch folder;
  CHECK_THROWS_AS(save_plot(folder.dir / "x", {}), ValueError);
  CHECK_THROWS_AS(save_plot(folder.dir / "x", {Panel()}), ValueError);
  save_plot(folder.dir / "loss", {Panel({.title = "It's `a` \"test\"", .x = "epoch", .y = "loss"})
                                      .line("train", {3, 2})
                                      .line("test", {4, 3.5})});
  CHECK(read_unpacked(folder.dir / "loss.csv") == "epoch,train,test\n1,3,4\n2,2,3.5\n");
  save_plot(folder.dir / "map",
            {Panel({.title = "m"}).matrix({1, 2, 3, 4}, {"5%", "%d"}, {"a", "%"}, "%.0f")});
  CHECK(read_unpacked(folder.dir / "map.csv") ==
        "panel,series,x,y,value\nm,,a,5%,1\nm,,%,5%,2\nm,,a,%d,3\nm,,%,%d,4\n");
  CHECK(read_unpacked(folder.dir / "map.svg").find(">%d<") != std::string::npos);
}

TEST_CASE("support: plots: points by class become a layer per class") {
  const Panel panel = Panel().points_by_class({"a", "b"}, {1, 0, 1}, {1, 2, 3}, {4, 5, 6});
  REQUIRE(panel.layers().size() == 2);
  CHECK(panel.layers()[0].name == "a");
  CHECK(panel.layers()[0].x == std::vector<double>{2});
  CHECK(panel.layers()[1].x == std::vector<double>{1, 3});
  CHECK(panel.layers()[1].y == std::vector<double>{4, 6});
}

TEST_CASE("support: plots: log axes fit their data, colours mean the same in every panel") {
  const auto script_has = [](const std::vector<Panel>& panels, const std::string& line) {
    return gnuplot_script(panels, 2).find(line + "\n") != std::string::npos;
  };
  Panel few({.log_x = true});
  few.line("a", {256, 512, 8192}, {1, 2, 3});
  CHECK(script_has({few}, "set xtics ('256' 256, '512' 512, '8192' 8192) "));  // the data's own
  CHECK(script_has({few}, "set xrange [255.999744:8192.00819]"));
  Panel narrow({.log_y = true});
  narrow.line("a", {0.3, 2.5, 0, INFINITY, -1});  // a log axis leaves out the last three
  CHECK(script_has({narrow}, "set ytics ('0.5' 0.5, '1' 1, '2' 2) "));
  CHECK(script_has({narrow}, "set yrange [0.2999997:2.5000025]"));
  Panel wide({.log_y = true});  // every second decade, in one notation
  wide.line("a", {1e-4, 1e4});
  CHECK(
      script_has({wide}, "set ytics ('1e-4' 0.0001, '1e-2' 0.01, '1' 1, '1e2' 100, '1e4' 10000) "));
  Panel small({.log_y = true});
  small.line("a", {1e-5, 6e-5});
  CHECK(script_has({small}, "set ytics ('1e-5' 1e-05, '2e-5' 2e-05, '5e-5' 5e-05) "));
  CHECK(gnuplot_script({Panel({.log_y = true}).line("a", {0, 0})}, 1).find("set yrange [0:0]") ==
        std::string::npos);
  const auto heat = [](double value, Colors colors) {
    return Panel().heat({0, 1, 0, 1, 2, 1, {0.1, value}}, colors);
  };
  CHECK(script_has({heat(0.2, Colors::Diverging)}, "set cbrange [-1:1]"));
  CHECK(script_has({heat(0.2, Colors::Diverging), heat(-3, Colors::Diverging)},
                   "set cbrange [-3:3]"));
  CHECK(script_has({heat(NAN, Colors::Diverging)}, "set cbrange [-1:1]"));
  CHECK(script_has({heat(0.2, Colors::Chances)}, "set cbrange [0:1]"));
}

TEST_CASE("support: plots: panels share what they have in common") {
  const Panel a = Panel({.title = "a", .x = "x", .y = "y"}).line("one", {1, 2}).line("two", {2, 3});
  const Panel b = Panel({.title = "b", .x = "x", .y = "y"}).line("one", {3, 9}).line("two", {4, 5});
  const Panel other = Panel({.title = "c", .x = "x", .y = "z"}).line("three", {3, 9});
  const auto count = [](const std::vector<Panel>& panels, const std::string& line) {
    const std::string script = gnuplot_script(panels, 2);
    int times = 0;
    for (size_t at = 0; (at = script.find(line, at)) != script.npos; ++at) ++times;
    return times;
  };
  CHECK(count({a, b}, "set ylabel 'y'") == 1);
  CHECK(count({a, b}, "title 'one'") == 1);
  CHECK(count({a, b}, "set yrange [1:9]") == 2);
  CHECK(count({a, other}, "set ylabel 'y'") == 1);
  CHECK(count({a, other}, "set ylabel 'z'") == 1);
  CHECK(count({a, other}, "title 'one'") + count({a, other}, "title 'three'") == 2);
  const Panel map = Panel().heat({0, 1, 0, 1, 2, 1, {0, 1}}, Colors::Chances);
  CHECK(count({map, map, map}, "unset colorbox") == 2);
}
