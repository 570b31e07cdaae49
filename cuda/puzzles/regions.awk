# The only place that knows how a hole is marked in a solved file:
#
#   // exercise[ puzzles.05 pts=1
#   //? 1 a hint
#   //?   and its second line
#   //= what the student finds instead of the solution
#   the solution
#   // exercise]
#
# -v mode=blank                  the student's file: each region keeps only the text after //=
# -v mode=bodies                 only the contents of the regions of a student's file
# -v mode=transplant -v from=F   the student's file, with the contents of the regions in the file F
# -v mode=hints -v upto=N        the first N hints
# -v mode=points                 the sum of pts=
function name(line) {
  sub(/.*exercise\[ */, "", line)
  sub(/ .*/, "", line)
  return line
}
BEGIN {
  opening = "^[ \\t]*// exercise\\["
  closing = "^[ \\t]*// exercise\\]"
  cut = mode == "blank" || mode == "transplant"
  while (mode == "transplant" && (getline line <from) > 0) {
    if (line ~ opening) known[id = name(line)] = 1
    else if (line ~ closing) id = ""
    else if (id != "") body[id] = body[id] line "\n"
  }
  id = ""
}
$0 ~ opening {
  id = name($0)
  if (mode == "points") { sub(/.*pts=/, ""); points += $0 }
  if (cut) print
  if (mode == "transplant" && id in known) { printf "%s", body[id]; given = 1 }
  next
}
$0 ~ closing {
  id = ""
  given = 0
  if (cut) print
  next
}
id == "" { if (cut) print; next }
mode == "bodies" { print }
mode == "hints" && /^[ \t]*\/\/\? [0-9]/ {
  sub(/^[ \t]*\/\/\? /, "")
  number = $1 + 0
  if (number <= upto) print "  " $0
  next
}
mode == "hints" && /^[ \t]*\/\/\?/ {
  sub(/^[ \t]*\/\/\? */, "")
  if (number <= upto) print "    " $0
}
cut && !given && /^[ \t]*\/\/=/ {
  sub(/\/\/= ?/, "")
  print
}
END { if (mode == "points") print points + 0 }
