#!/bin/sh
# small-icu.sh LIBICUDATA: writes the library anew with what a program that speaks
# to nobody needs: no names of languages, countries, currencies and time zones, no
# sorting orders, no old encodings. 32 MB become 9. Needs gcc and icu-devtools.
set -eu

library=$1
work=$(mktemp -d)
symbol=$(readelf -Ws "$library" | grep -o 'icudt[0-9]*_dat' | head -n 1)
start=$((0x$(readelf -Ws "$library" | sed -nE "s/^ *[0-9]+: ([0-9a-f]+) .* $symbol\$/\\1/p" | head -n 1)))
name=${symbol%_dat}l.dat # l: little-endian

cd "$work"
tail -c +$((start + 1)) "$library" >"$name" # the only segment lies in memory as in the file
icupkg -l "$name" >all
grep -E '^(curr|lang|region|unit|zone|coll|rbnf|translit)/|\.cnv$|^[a-z]{2,3}(_[A-Za-z0-9_]+)?\.res$' all |
	grep -vE '(^|/)(root|res_index|pool|tzdbNames)\.res$|^en\.res$|^curr/supplementalData|^coll/ucadata' >unwanted.txt
mkdir out
icupkg -r unwanted.txt "$name" "out/$name"
printf '.section .rodata\n.globl %s\n.type %s,@object\n.balign 16\n%s: .incbin "out/%s"\n.size %s,.-%s\n' \
	"$symbol" "$symbol" "$symbol" "$name" "$symbol" "$symbol" >data.s
gcc -shared -nostdlib -Wl,-soname,"$(basename "$library")" -o data.so data.s
cat data.so >"$library"
rm -rf "$work"
