#include "nn/text/language_model.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <sstream>

#include "nn/text/utf8.h"

namespace gradus {

std::pair<Tensor, Tensor> random_windows(const TokenStream& text, int64_t batch, int64_t context,
                                         uint64_t seed, int64_t step) {
  const auto starts = static_cast<int64_t>(text.ids.size()) - context;
  check<ValueError>(starts > 0, "random_windows: {} tokens hold no window of {} and its next token",
                    text.ids.size(), context);
  Generator generator(seed ^ (static_cast<uint64_t>(step) * 0x9E3779B97F4A7C15u));
  std::vector<int64_t> x, y;
  for (int64_t start : randint(0, starts, {batch}, generator).to_vector<int64_t>()) {
    const auto first = text.ids.begin() + start;
    x.insert(x.end(), first, first + context);
    y.insert(y.end(), first + 1, first + context + 1);
  }
  return {tensor(x, {batch, context}), tensor(y, {batch, context})};
}

double bits_per_byte(const Gpt& model, const TokenStream& text, int64_t tokens) {
  NoGrad guard;
  const auto n = static_cast<int64_t>(text.ids.size());
  const int64_t end = tokens > 0 ? std::min(tokens, n) : n, context = model.config.context;
  double nats = std::log(static_cast<double>(model.config.vocabulary));
  for (int64_t done = 1; done < end;) {
    const int64_t start = std::max<int64_t>(0, done - 1 - context / 2),
                  stop = std::min(end, start + context + 1);
    const std::vector<int64_t> x(text.ids.begin() + start, text.ids.begin() + stop - 1);
    std::vector<int64_t> y(text.ids.begin() + start + 1, text.ids.begin() + stop);
    std::fill(y.begin(), y.begin() + (done - start - 1), -100);  // counted before
    const Shape shape{1, static_cast<int64_t>(x.size())};
    nats += cross_entropy(model(tensor(x, shape)), tensor(y, shape), {.reduction = Reduction::Sum})
                .item();
    done = stop;
  }
  const double bytes =
      static_cast<double>(text.bytes) * static_cast<double>(end) / static_cast<double>(n);
  return nats / std::numbers::ln2 / bytes;
}

void LossCurve::point(int64_t step, double validation_loss) {
  steps.push_back(static_cast<double>(step));
  training.push_back(recent());
  validation.push_back(validation_loss);
  sum = 0, added = 0;
}

std::string LossCurve::text() const {
  std::string out = fmt::format("{} {}\n", sum, added);
  for (size_t i = 0; i < steps.size(); ++i)
    out += fmt::format("{} {} {}\n", steps[i], training[i], validation[i]);
  return out;
}

LossCurve LossCurve::from_text(const std::string& text) {
  LossCurve curve;
  std::istringstream in(text);
  if (!(in >> curve.sum >> curve.added)) return {};
  for (double step, training, validation; in >> step >> training >> validation;) {
    curve.steps.push_back(step);
    curve.training.push_back(training);
    curve.validation.push_back(validation);
  }
  return curve;
}

std::string first_words(std::string_view text) {
  constexpr size_t kBytes = 12;
  const size_t start = text.find_first_not_of(" \t\r\n");
  if (start == text.npos) return std::string(text.substr(0, 1));
  text.remove_prefix(start);
  size_t end = std::min(text.find_first_of("\r\n"), text.size());
  if (end > kBytes) {
    const size_t space = text.rfind(' ', kBytes);
    end = space != text.npos && space > 0 ? space : kBytes;
    while (end > 1 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
      --end;  // a whole character
  }
  return std::string(text.substr(0, end));
}

std::string write_on(const Gpt& model, const BytePairEncoder& tokenizer, const std::string& prompt,
                     int64_t length, const SamplingOptions& options, Generator& generator) {
  check<ValueError>(!prompt.empty(), "write_on: the prompt is empty; give at least one character");
  NoGrad guard;
  std::vector<int64_t> unread = tokenizer.encode(prompt);
  const int64_t room = std::max<int64_t>(1, model.config.context - length);
  if (static_cast<int64_t>(unread.size()) > room) unread.erase(unread.begin(), unread.end() - room);
  std::vector<KvCache> caches = model.make_caches(1);
  Utf8Stream characters;
  std::string text = prompt;
  for (int64_t i = 0; i < length; ++i) {
    const auto n = static_cast<int64_t>(unread.size());
    if (caches[0].length + n > model.config.context) break;
    unread = {sample(model(tensor(unread, {1, n}), caches), options, {}, generator)};
    text += characters.push(tokenizer.token(unread[0]));
  }
  return text + characters.finish();
}

}  // namespace gradus
