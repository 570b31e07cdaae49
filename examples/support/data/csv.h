#pragma once
// Comma-separated values as in RFC 4180, read strictly. A missing field, a stray quote or a word
// where a number belongs is an error that names the line: a model that was trained on a misread
// table fails in ways that are hard to trace back to it.
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace gradus::support {

/// A table of text. Lines before the header that begin with '#' are comments (source, licence). The
/// header names the columns. Blank lines at the end are ignored. Lines end in LF, CR LF or CR.
class Csv {
 public:
  /// Reads a file, plain or gzipped. Throws IoError: "name:line:column: what is wrong".
  static Csv read(const std::filesystem::path& path);
  /// The same for text in memory. Errors call it `name`.
  static Csv parse(std::string_view text, std::string name);

  const std::vector<std::string>& header() const { return header_; }
  int64_t rows() const { return static_cast<int64_t>(rows_.size()); }
  int64_t columns() const { return static_cast<int64_t>(header_.size()); }

  const std::string& text(int64_t row, int64_t column) const;
  /// Throws IoError with the line and the field unless the whole field is one finite number.
  double number(int64_t row, int64_t column) const;
  /// The index of the column with this name. Otherwise throws IoError, which lists the columns.
  int64_t column(std::string_view name) const;

 private:
  struct Row {
    int64_t line;  // in the file; a quoted field may span several
    std::vector<std::string> fields;
  };
  std::string name_;
  std::vector<std::string> header_;
  std::vector<Row> rows_;
};

/// Writes a table; fields with commas, quotes or line breaks are quoted.
void write_csv(const std::filesystem::path& path, const std::vector<std::string>& header,
               const std::vector<std::vector<std::string>>& rows);

}  // namespace gradus::support
