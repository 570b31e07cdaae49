// The main function of the test programs. Every test begins with the same random numbers, whatever
// ran before it, so that a failure comes back when the test is run alone.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include "tensor/random.h"

namespace {

struct SeedEachTest : doctest::IReporter {
  explicit SeedEachTest(const doctest::ContextOptions&) {}
  void test_case_start(const doctest::TestCaseData&) override { gradus::manual_seed(0); }
  void test_case_reenter(const doctest::TestCaseData&) override { gradus::manual_seed(0); }

  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats&) override {}
  void test_case_end(const doctest::CurrentTestCaseStats&) override {}
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}
};
REGISTER_LISTENER("seed", 1, SeedEachTest);

}  // namespace
