#pragma once
// Comma-separated values after RFC 4180, read strictly: a table with a hole, a stray quote or a
// word where a number belongs is an error that names line and column, because a model trained on a
// misread table fails in ways that nobody traces back to the table.
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace gradus::support {

/// A table of text; the first line is the header. Lines that begin with '#' before the header are
/// comments (source, licence); blank lines at the end are none. Lines end in LF, CR LF or CR.
class Csv {
 public:
  /// Plain or gzip. Throws IoError: "name:line:column: what is wrong".
  static Csv read(const std::filesystem::path& path);
  /// The same for text in memory; `name` is what errors call it.
  static Csv parse(std::string_view text, std::string name);

  const std::vector<std::string>& header() const { return header_; }
  int64_t rows() const { return static_cast<int64_t>(rows_.size()); }
  int64_t columns() const { return static_cast<int64_t>(header_.size()); }

  const std::string& text(int64_t row, int64_t column) const;
  /// Throws IoError with line and column unless the whole field is one finite number.
  double number(int64_t row, int64_t column) const;
  /// The index of the column with this name, or IoError listing those that exist.
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
