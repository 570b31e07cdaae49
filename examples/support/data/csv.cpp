// One pass over the bytes. A field is either bare, without any quote in it, or quoted as a whole,
// with "" for each quote inside.
#include "examples/support/data/csv.h"

#include <cmath>

#include "examples/support/data/gzip.h"
#include "examples/support/run/number.h"
#include "nn/file.h"
#include "tensor/error.h"

namespace gradus::support {
namespace {

class Reader {
 public:
  Reader(std::string_view text, const std::string& name) : text_(text), name_(name) {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = line_start_ = 3;  // Excel's byte order mark
  }
  bool done() const { return at_ == text_.size(); }
  bool at(char c) const { return !done() && text_[at_] == c; }
  int64_t line() const { return line_; }

  void skip_line() {
    while (!done() && !at('\n') && !at('\r')) ++at_;
    end_line();
  }
  /// Whether only blanks and line ends follow.
  bool only_blanks_left() const { return text_.find_first_not_of("\r\n \t", at_) == text_.npos; }

  std::vector<std::string> record() {
    std::vector<std::string> fields;
    while (true) {
      fields.push_back(at('"') ? quoted() : bare());
      if (!at(',')) break;
      ++at_;
    }
    require(done() || at('\n') || at('\r'),
            "text after a quoted field; it must end at a comma or at the end of the line");
    end_line();
    return fields;
  }

  void require(bool ok, std::string_view problem) const {
    check<IoError>(ok, "{}:{}:{}: {}", name_, line_, at_ - line_start_ + 1, problem);
  }

 private:
  std::string bare() {
    const size_t start = at_;
    for (; !done() && !at(',') && !at('\n') && !at('\r'); ++at_) {
      require(!at('"'), "a quote inside a field that is not quoted; quote the whole field");
      require(!at('\0'), "a zero byte: this is not a text file");
    }
    return std::string(text_.substr(start, at_ - start));
  }

  std::string quoted() {
    std::string field;
    for (++at_;; ++at_) {
      require(!done(), "the file ends inside a quoted field; close it with a quote");
      if (at('"')) {
        ++at_;
        if (!at('"')) return field;
      }
      field += text_[at_];
      if (at('\n')) start_line(at_ + 1);
    }
  }

  /// Skips the end of a line: LF, CR LF, or CR alone.
  void end_line() {
    if (done()) return;
    if (at('\r')) ++at_;
    if (at('\n')) ++at_;
    start_line(at_);
  }

  void start_line(size_t start) {
    ++line_;
    line_start_ = start;
  }

  std::string_view text_;
  const std::string& name_;
  size_t at_ = 0, line_start_ = 0;
  int64_t line_ = 1;
};

}  // namespace

Csv Csv::read(const std::filesystem::path& path) {
  return parse(read_unpacked(path), path.string());
}

Csv Csv::parse(std::string_view text, std::string name) {
  Csv csv;
  csv.name_ = std::move(name);
  Reader reader(text, csv.name_);
  while (reader.at('#')) reader.skip_line();
  reader.require(!reader.done(), "the table is empty; its first line must be a header");
  csv.header_ = reader.record();
  while (!reader.only_blanks_left()) {
    const int64_t line = reader.line();
    csv.rows_.push_back({line, reader.record()});
    const size_t fields = csv.rows_.back().fields.size();
    check<IoError>(fields == csv.header_.size(), "{}:{}: {} fields, but the header has {}",
                   csv.name_, line, fields, csv.header_.size());
  }
  return csv;
}

const std::string& Csv::text(int64_t row, int64_t column) const {
  check<IndexError>(row >= 0 && row < rows() && column >= 0 && column < columns(),
                    "{}: no row {}, column {} in a table of {} × {}", name_, row, column, rows(),
                    columns());
  return rows_[row].fields[column];
}

double Csv::number(int64_t row, int64_t column) const {
  const std::string& field = text(row, column);
  double value = 0;
  check<IoError>(parse_number(field, value) == std::errc() && std::isfinite(value),
                 "{}:{}: field {} ({}): '{}' is not a number", name_, rows_[row].line, column + 1,
                 header_[column], field);
  return value;
}

int64_t Csv::column(std::string_view name) const {
  for (int64_t c = 0; c < columns(); ++c)
    if (header_[c] == name) return c;
  std::string known;
  for (const std::string& h : header_) known += (known.empty() ? "" : ", ") + h;
  throw IoError(fmt::format("{}: no column '{}'; its columns are: {}", name_, name, known));
}

void write_csv(const std::filesystem::path& path, const std::vector<std::string>& header,
               const std::vector<std::vector<std::string>>& rows) {
  std::string out;
  const auto append_row = [&](const std::vector<std::string>& fields) {
    for (size_t i = 0; i < fields.size(); ++i) {
      if (i > 0) out += ',';
      if (fields[i].find_first_of(",\"\r\n") == std::string::npos) {
        out += fields[i];
        continue;
      }
      out += '"';
      for (char c : fields[i]) out += c == '"' ? "\"\"" : std::string(1, c);
      out += '"';
    }
    out += '\n';
  };
  append_row(header);
  for (const auto& row : rows) append_row(row);
  write_file(path.string(), out);
}

}  // namespace gradus::support
