#!/bin/bash
# infer.sh INFER TESTS_DIR: the `infer` program as a user meets it. Seeded weights give detections
# without meaning, which is enough: what is checked is the way in and the way out.
infer=$1
photos=$2/photos
pictures=$2/golden/images
. "$2/e2e/harness.sh"

small=(--weights seeded --model maskrcnn_resnet18_fpn --max-detections 8)
photo=000000122745
record='^\{"image_id":[0-9]+,"category_id":[0-9]+,"bbox":\[[-0-9.e]+(,[-0-9.e]+){3}\],"score":[0-9.e-]+,"segmentation":\{"size":\[[0-9]+,[0-9]+\],"counts":"[^"]*"\},"file_name":"([^"\\]|\\.)*"\},?$'

# Every line of a results file is a record, between '[' and ']'.
is_results() {
  [ "$(head -n 1 "$1")" = "[" ] && [ "$(tail -n 1 "$1")" = "]" ] &&
    ! sed '1d;$d' "$1" | grep -Evq "$record"
}
num_records() { grep -c '^{' "$1"; }
file_names() { grep -o '"file_name":"[^"]*"' "$1" | sort -u; }
is_whole_png() { [ "$(tail -c 8 "$1" | od -An -tx1 | tr -d ' \n')" = "49454e44ae426082" ]; }

echo "== help and wrong command lines"
run "$infer" --help
check_code 0
check_empty "$scratch/stderr"
check_text "$scratch/stdout" '^Examples'
check "help fits 100 columns" [ "$(wc -L <"$scratch/stdout")" -le 100 ]
run "$infer" --version
check_code 0
check_text "$scratch/stdout" '^infer \(maskrcnn.cpp\) [0-9]+\.[0-9]+'
run "$infer"
check_code 2
check_empty "$scratch/stdout"
run "$infer" "${small[@]}"
check_code 2
check_text "$scratch/stderr" '^infer: no images given'
run "$infer" "$photos/$photo.jpg"
check_code 2
check_text "$scratch/stderr" '^infer: --weights is missing'
run "$infer" "${small[@]}" --scroe 0.5 "$photos/$photo.jpg"
check_code 2
check_text "$scratch/stderr" "'--scroe'; did you mean '--score'"
run "$infer" "${small[@]}" --score nan "$photos/$photo.jpg"
check_code 2
check_text "$scratch/stderr" "'nan' is not a number from 0 to 1"
run "$infer" "${small[@]}" --classes person,dgog "$photos/$photo.jpg"
check_code 2
check_text "$scratch/stderr" "no class 'dgog'; did you mean 'dog'"
run "$infer" "${small[@]}" --device gpu "$photos/$photo.jpg"
check_code 2
run "$infer" "${small[@]}" --device cuda:99 "$photos/$photo.jpg"
check_code 5

echo "== weights that cannot be used"
run "$infer" --weights "$scratch/missing.pth" "$photos/$photo.jpg"
check_code 4
check_text "$scratch/stderr" '^infer: .*missing\.pth: '
run "$infer" --weights "$photos/$photo.jpg" "$photos/$photo.jpg"
check_code 4

echo "== photos to JSON, overlays and instance pictures"
out=$scratch/out
run "$infer" "${small[@]}" "$photos/$photo.jpg" "$photos/000000343937.jpg" \
  --json "$scratch/r.json" --overlay "$out/drawn" --masks "$out/ids"
check_code 0
check_empty "$scratch/stdout"
check_text "$scratch/stderr" '^infer: maskrcnn_resnet18_fpn'
check_text "$scratch/stderr" '^infer: device cpu'
check_text "$scratch/stderr" '^infer: 2 images, [0-9]+ objects?, [0-9.]+ s, [0-9.]+ images/s, 0 skipped$'
check "results are COCO records" is_results "$scratch/r.json"
check "there are detections" [ "$(num_records "$scratch/r.json")" -gt 0 ]
check "no more than --max-detections" [ "$(num_records "$scratch/r.json")" -le 16 ]
check_text "$scratch/r.json" "\"image_id\":122745,.*\"file_name\":\"$photos/$photo.jpg\""
check_files "$out" "drawn/$photo.png" drawn/000000343937.png "ids/$photo.png" ids/000000343937.png
for picture in "$out"/*/*.png; do check "$picture is whole" is_whole_png "$picture"; done

echo "== the same results on standard output, from other namings, batches and threads"
mkdir "$scratch/in"
cp "$photos/$photo.jpg" "$photos/000000343937.jpg" "$pictures/size_17x9_420.jpg" "$scratch/in"
cd "$scratch" || exit 1
run "$infer" "${small[@]}" in --json all.json
check_code 0
check "three images gave results" [ "$(file_names all.json | wc -l)" -ge 2 ]
run "$infer" "${small[@]}" in --json - --quiet
check_code 0
check_same stdout all.json
check_empty stderr
run "$infer" "${small[@]}" 'in/*.jpg' --batch 2 --json - -q
check_same stdout all.json
run "$infer" "${small[@]}" in --batch 3 --json - -q
check_same stdout all.json
for threads in 1 3; do
  run "$infer" "${small[@]}" in --threads "$threads" --json - -q
  check_same stdout all.json
done
find in -name '*.jpg' | sort >list.txt
run "$infer" "${small[@]}" @list.txt --json - -q
check_same stdout all.json
run "$infer" "${small[@]}" --list list.txt --json - -q
check_same stdout all.json
run bash -c '"$@" <list.txt' - "$infer" "${small[@]}" - --json - -q
check_same stdout all.json

echo "== choosing detections"
run "$infer" "${small[@]}" in --json - -q --max-detections 1
check "one object an image" [ "$(num_records stdout)" -le 3 ]
class=$(sed -n '2s/.*"category_id":\([0-9]*\).*/\1/p' all.json)
run "$infer" "${small[@]}" in --json - -q --classes "$class"
grep '^{' all.json | grep "\"category_id\":$class," | sed 's/,$//' >wanted
grep '^{' stdout | sed 's/,$//' >found
check_same found wanted
run "$infer" "${small[@]}" in --json - -q --score 1
check_code 0
check "an empty result is an empty array" [ "$(cat stdout)" = "[]" ]
run "$infer" "${small[@]}" "in/$photo.jpg" --json - -q --polygons
check_text stdout '"segmentation":\[\[[0-9]+(,[0-9]+){7,}\]'
run "$infer" "${small[@]}" "in/$photo.jpg" --max-detections 3
check_text stderr "^in/$photo.jpg: [0-9]+ objects?"
check_empty stdout

echo "== EXIF orientation"
run "$infer" "${small[@]}" "$pictures/orientation6.jpg" --json - -q
turned=$(grep -o '"size":\[[0-9,]*\]' stdout | sort -u)
run "$infer" "${small[@]}" "$pictures/orientation6.jpg" --json - -q --exif ignore
stored=$(grep -o '"size":\[[0-9,]*\]' stdout | sort -u)
check "sides are swapped: $turned, $stored" \
  [ "$(echo "$turned" | sed 's/\[\(.*\),\(.*\)\]/[\2,\1]/')" = "$stored" ]

echo "== bad images"
head -c 20000 "in/$photo.jpg" >in/cut.jpg
echo "no picture" >in/text.png
run "$infer" "${small[@]}" in gone.jpg --json bad.json
check_code 3
check_text stderr '^infer: skipped: in/cut\.jpg: '
check_text stderr '^infer: skipped: in/text\.png: '
check_text stderr '^infer: skipped: gone\.jpg: no such file'
check_text stderr '^infer: 3 images, .* 3 skipped$'
check "good images are done" [ "$(num_records bad.json)" = "$(num_records all.json)" ]
echo old >strict.json
run "$infer" "${small[@]}" in --strict --json strict.json
check_code 3
check "--strict leaves the old results" [ "$(cat strict.json)" = old ]
run "$infer" "${small[@]}" in gone.jpg --strict --json strict.json
check_code 3
check_text stderr '^infer: gone\.jpg: no such file'
run "$infer" "${small[@]}" in/text.png --json none.json
check_code 3
check "a run without a good image has no results" [ "$(cat none.json)" = "[]" ]
run "$infer" "${small[@]}" gone.jpg
check_code 3
rm in/cut.jpg in/text.png

echo "== names of files"
mkdir -p a/sub b
odd=$'line\nbreak "q" \xff.jpg'
cp "$pictures/size_17x9_420.jpg" a/x.jpg
cp "$pictures/size_17x9_420.jpg" a/sub/y.jpg
cp "$pictures/rgb8.png" a/x.png
cp "$pictures/size_8x8.jpg" b/x.jpg
cp "$pictures/size_1x1.jpg" "b/$odd"
run "$infer" "${small[@]}" a b a/x.jpg --masks ids --overlay drawn --json names.json
check_code 0
check_text stderr '^infer: named more than once, done once: a/x\.jpg'
check "five pictures of each kind" [ "$(find ids drawn -type f -printf . | wc -c)" = 10 ]
for name in x x-2 x-3 sub/y; do
  check "ids/$name.png is whole" is_whole_png "ids/$name.png"
done
check "odd names work" is_whole_png "ids/${odd%.jpg}.png"
check "results with odd names are COCO records" is_results names.json
cp a/x.png before.png
run "$infer" "${small[@]}" a --overlay a
check_code 2
check_text stderr '^infer: --overlay would replace a/x\.png'
check_same a/x.png before.png
run "$infer" "${small[@]}" a --overlay same --masks ./same/
check_code 2
check_missing same

echo "== places that cannot be written"
run "$infer" "${small[@]}" "in/$photo.jpg" --overlay "in/$photo.jpg/drawn"
check_code 5
run "$infer" "${small[@]}" "in/$photo.jpg" --json missing/r.json
check_code 5
check_text stderr '^infer: .*missing/r\.json: '
run bash -c '"$@" >/dev/full' - "$infer" "${small[@]}" "in/$photo.jpg" --json -
check_code 5

echo "== interrupted"
mkdir many
for i in $(seq 200); do cp "in/$photo.jpg" "many/photo$i.jpg"; done
last_command="interrupted run"
for pair in INT:130 TERM:143; do
  rm -rf drawn
  # A job in the background starts with SIGINT ignored; env undoes that.
  env --default-signal=INT,TERM "$infer" "${small[@]}" many --overlay drawn --json late.json \
    >stdout 2>stderr &
  job=$!
  for _ in $(seq 300); do
    [ -n "$(find drawn -name 'photo*.png' 2>/dev/null)" ] && break
    sleep 0.1
  done
  kill -"${pair%:*}" $job
  wait $job
  code=$?
  check_code "${pair#*:}"
  check_text stderr '^infer: interrupted after [0-9]+ of 200 images; no JSON was written'
  check_missing late.json
  check "no temporary file stays" [ -z "$(find . -name '.*.tmp.*')" ]
  for picture in drawn/*.png; do check "$picture is whole" is_whole_png "$picture"; done
done
finish
