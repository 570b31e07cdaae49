#pragma once
// How the chatbot reads and writes words. 11's byte pairs cut a rare word into pieces of any
// length, and a name that was never seen cannot be copied piece by piece, if its pieces were never
// seen in this order. So here:
//
//   - A word is one token, or it is spelled letter by letter. "France" is a token; "Marguerite" is
//     ten. Every name is copied alike, and a word with a typing mistake looks like what it is.
//   - Small and capital letters share their tokens: "France" is a mark and "france", "FRANCE"
//     another mark and the same "france". What was learned about one holds for all.
//   - So do words with and without a blank before them: the blank is understood, and its absence
//     marked.
//
// Chinese has no blanks: the longest word of a list that the text goes on with is one token, and a
// character that begins none is by itself. Digits and punctuation marks are words of their own.
// Bytes are the last resort, so any text can be read, and comes back unchanged.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace gradus::support {

class Words {
 public:
  /// Marks come first, then the 256 bytes, then words.
  enum Mark : int64_t { User, Bot, End, Capital, Capitals, Joined, kMarks };

  /// The vocabulary of what has to be read and written: the most frequent words of `text`, at most
  /// `size` tokens in all. Of equally frequent words the one that sorts first wins. ValueError:
  /// `size` leaves no room for marks and bytes. `compounds` are words whatever their number, if
  /// they are of two Chinese characters or more; others are ignored.
  static Words learn(std::string_view text, int64_t size, std::vector<std::string> compounds = {});

  /// Never a mark for what is typed: those of a conversation are put in by who writes it down.
  std::vector<int64_t> encode(std::string_view text) const;
  std::string decode(std::span<const int64_t> ids) const;
  /// A token to look at: "<|user|>", "france", "é".
  std::string name(int64_t id) const;

  int64_t size() const { return kMarks + 256 + static_cast<int64_t>(words_.size()); }
  /// As JSON, and back. IoError about `source` if it is damaged.
  std::string to_json() const;
  static Words from_json(std::string_view json, const std::string& source);

 private:
  friend class Writer;
  explicit Words(std::vector<std::string> words);
  void encode_word(std::string_view word, bool blank, std::vector<int64_t>& ids) const;

  std::vector<std::string> words_;
  std::unordered_map<std::string, int64_t> ids_;
};

/// Turns tokens into text, one at a time. The Words must outlive it.
class Writer {
 public:
  explicit Writer(const Words& words) : words_(words) {}
  /// What the token adds, which may be part of a character (Utf8Stream).
  std::string push(int64_t id);

 private:
  const Words& words_;
  bool began_ = false, joined_ = false;
  bool first_ = false, all_ = false;  // the next letter, or all of this word, is a capital
};

/// As people mean it: full-width letters and marks in their usual width, curly quotes straight, no
/// byte order mark, control or zero-width characters, one blank between words and none around them,
/// nor in a sum: 7+8×2 is 7+8*2.
std::string tidied(std::string_view text);

}  // namespace gradus::support
