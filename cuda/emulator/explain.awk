# g++ cannot explain the lines of a .cu file that are CUDA but not C++. This says how to write each.
#   awk -f explain.awk FILE    when FILE did not compile

function say(cuda, here) {
  printf "%s:%d: instead of  %s  write  %s  (see cuda/gpu.h)\n", FILENAME, FNR, cuda, here
}
function trimmed(text) { gsub(/^[ \t]+|[ \t]+$/, "", text); return text }

{ sub(/\/\/.*/, "") }

# kernel<<<grid, block>>>(x, n);
(begin = index($0, "<<<")) && (end = index($0, ">>>")) {
  kernel = trimmed(substr($0, 1, begin - 1))
  sub(/^.*[;{}][ \t]*/, "", kernel)
  arguments = substr($0, end + 3)
  say(kernel "<<<...>>>", "launch<" kernel ">({" substr($0, begin + 3, end - begin - 3) "}" \
                          (arguments ~ /^[ \t]*\([ \t]*\)/ ? ")" : ", ...)"))
}

# [extern] __shared__ float tile[32][33];
match($0, /(extern[ \t]+)?__shared__[^;]*/) {
  cuda = substr($0, RSTART, RLENGTH)
  text = cuda
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
  if (cuda ~ /^extern/) say(cuda, "DYN_SHARED(" type ", " name ");")
  else if (size == "") say(cuda, "SHARED(" type ", " name ", [1]);")
  else say(cuda, "SHARED(" type ", " name ", " size ");")
}
