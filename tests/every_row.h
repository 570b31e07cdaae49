#pragma once
// Runs a check of op_table_checks.h on every row of the op table, on one device.
#include <doctest/doctest.h>

#include <functional>

#include "tests/op_table_checks.h"

namespace gradus::test {

inline bool every_row(const OpRow&) { return true; }
inline bool has_matrix(const OpRow& row) { return row.matrix != nullptr; }
inline bool has_golden(const OpRow& row) { return row.golden; }

inline void for_every_row(Device device, RowCheck check_row,
                          const std::function<bool(const OpRow&)>& applies = every_row) {
  CHECK(op_table().size() > 80);
  for (const OpRow& row : op_table()) {
    if (!applies(row)) continue;
    CAPTURE(row.name);
    Outcome outcome;
    CHECK_NOTHROW(outcome = check_row(row, device));
    CHECK_MESSAGE(outcome.ok(), outcome.message);
    CHECK(outcome.checked > 0);
  }
}

}  // namespace gradus::test
