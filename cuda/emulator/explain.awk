# What g++ cannot know: of each line of a .cu file that is CUDA and not C++, how it is written here.
#   awk -f explain.awk FILE    when FILE did not compile

function say(is, written) {
  printf "%s:%d: here, %s is written  %s  (cuda/gpu.h)\n", FILENAME, FNR, is, written
}
function trimmed(text) { gsub(/^[ \t]+|[ \t]+$/, "", text); return text }

{ sub(/\/\/.*/, "") }

# kernel<<<grid, block>>>(x, n);
(begin = index($0, "<<<")) && (end = index($0, ">>>")) {
  kernel = trimmed(substr($0, 1, begin - 1))
  sub(/^.*[;{}][ \t]*/, "", kernel)
  arguments = substr($0, end + 3)
  is = kernel "<<<...>>>"
  say(is, "launch<" kernel ">({" substr($0, begin + 3, end - begin - 3) "}" \
          (arguments ~ /^[ \t]*\([ \t]*\)/ ? ")" : ", ...)"))
}

# [extern] __shared__ float tile[32][33];
match($0, /(extern[ \t]+)?__shared__[^;]*/) {
  is = substr($0, RSTART, RLENGTH)
  text = is
  gsub(/extern|__shared__|__align__\([0-9]+\)|alignas\([0-9]+\)/, "", text)
  size = ""
  if (begin = index(text, "[")) {
    size = substr(text, begin)
    text = substr(text, 1, begin - 1)
  }
  text = trimmed(text)
  match(text, /[A-Za-z_0-9]+$/)
  type = trimmed(substr(text, 1, RSTART - 1))
  name = substr(text, RSTART)
  if (is ~ /^extern/) say(is, "DYN_SHARED(" type ", " name ");")
  else if (size == "") say(is, "SHARED(" type ", " name ", [1]);")
  else say(is, "SHARED(" type ", " name ", " size ");")
}
