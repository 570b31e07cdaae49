# Puts one mistake into a solution, of the kind that everybody makes. -v nth=K takes the K-th place
# in the regions where a barrier can be left out, or where "below n" can become "up to n". Prints
# nothing if there are fewer places.
#
# The bound of a loop over tiles (first < ...) is left alone: with one round too many, the last tile
# is empty, and that is no mistake.
$0 ~ "^[ \t]*// exercise\\[" { inside = 1 }
$0 ~ "^[ \t]*// exercise\\]" { inside = 0 }
inside && !/^[ \t]*\/\// {
  if (/__syncthreads\(\);/ && ++places == nth) {
    sub(/__syncthreads\(\);/, "")
    found = 1
  }
  rest = $0
  line = ""
  while (match(rest, /[a-z] < (n|rows|columns|inner|length)[^a-z]/)) {
    head = substr(rest, 1, RSTART)
    if (head !~ /\(int first = 0; first$/ && ++places == nth) {
      head = head " <="
      found = 1
    } else {
      head = head " <"
    }
    line = line head
    rest = substr(rest, RSTART + 3)
  }
  $0 = line rest
}
{ text = text $0 "\n" }
END { if (found) printf "%s", text }
