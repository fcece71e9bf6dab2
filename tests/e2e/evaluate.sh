#!/bin/bash
# evaluate.sh EVALUATE DATASET TESTS_DIR: the `evaluate` program as a user meets it.
evaluate=$1 dataset=$2
golden=$3/golden/coco
. "$3/e2e/harness.sh"
cd "$scratch" || exit 1
truth=$golden/instances_cut.json
results=$golden/results_cut.json

echo "== help and wrong command lines"
run "$evaluate" --help
check_code 0
check_empty stderr
check_text stdout '^Examples'
check "help fits 100 columns" [ "$(wc -L <stdout)" -le 100 ]
run "$evaluate" --version
check_text stdout '^evaluate \(maskrcnn.cpp\) [0-9]+\.[0-9]+'
run "$evaluate"
check_code 2
run "$evaluate" --ground-truth "$truth"
check_code 2
check_text stderr '^evaluate: there is nothing to evaluate: give --results'
run "$evaluate" --results "$results"
check_code 2
check_text stderr '^evaluate: there is nothing to compare with'
run "$evaluate" --results "$results" --ground-truth "$truth" --data .
check_code 2
run "$evaluate" --reslts "$results" --ground-truth "$truth"
check_code 2
check_text stderr "'--reslts'; did you mean '--results'"
for wrong in "--iou-type box" "--threads 0" "--json - --csv -" "--json a --csv a" "--batch 2" \
  "--compare a b" "--weights seeded" "--json $results"; do
  # shellcheck disable=SC2086
  run "$evaluate" --results "$results" --ground-truth "$truth" $wrong
  check_code 2
  check_empty stdout
done

echo "== numbers"
run "$evaluate" --results "$results" --ground-truth "$truth" --json all.json --csv all.csv
check_code 0
check_empty stderr
check "two tables of twelve lines" [ "$(grep -c '^ Average' stdout)" = 24 ]
check_text stdout '^bbox$'
check_text stdout '^ Average Precision  \(AP\) @\[ IoU=0\.50:0\.95 \| area=   all \| maxDets=100 \] = 0\.620$'
# pycocotools' own digits, tests/golden/coco/results_expected.json
check_text all.json '^\{"bbox":\{"AP":0\.6195803660571576,"AP50":0\.8008864923207485,'
check_text all.json '"segm":\{"AP":0\.4747739935683915,'
check_text all.csv '^bbox,all,,[0-9]+,[0-9]+,0\.6195803660571576,'
check "three lines" [ "$(wc -l <all.csv)" = 3 ]
cp stdout table
run env OMP_NUM_THREADS=1 "$evaluate" --results "$results" --ground-truth "$truth" --json one.json
check_same one.json all.json
run "$evaluate" --results "$results" --ground-truth "$truth" --threads 3 --json -
check_code 0
check_same stdout all.json
check_same stderr table
run "$evaluate" --results "$results" --ground-truth "$truth" --iou-type segm --strict-pycocotools \
  --numpy-sum whole --quiet --json strict.json --per-class
check_code 0
check_empty stdout
check_empty stderr
check_text strict.json '"APs":0\.1952174602714518,'
check_text strict.json '"category_id":1,"name":"person","objects":'
check_no_text strict.json 'bbox'
run "$evaluate" --results "$results" --ground-truth "$truth" --iou-type segm,bbox --per-class
check_code 0
check "two tables of 80 classes" [ "$(grep -c '^person ' stdout)" = 2 ]
sed 's/, "segmentation": {[^}]*}//' "$results" >boxes.json
run "$evaluate" --results boxes.json --ground-truth "$truth" --json boxes_scores.json
check_code 0
check "boxes only" [ "$(grep -c '^ Average' stdout)" = 12 ]
check "the same boxes" [ "$(grep -o '"bbox":{[^}]*}' boxes_scores.json)" = "$(grep -o '"bbox":{[^}]*}' all.json)" ]
mkdir -p set/annotations set/val
cp "$truth" set/annotations/instances_val.json
run "$evaluate" --results "$results" --data set --json set.json
check_same set.json all.json
echo '[]' >none.json
run "$evaluate" --results none.json --ground-truth "$truth"
check_code 0
check_text stdout '\] = 0\.000$'

echo "== files that cannot be used"
bad() {  # WHAT PLACE: results of this content are refused
  printf '%s' "$1" >bad.json
  run "$evaluate" --results bad.json --ground-truth "$truth" --json bad_scores.json
  check_code 3
  check_empty stdout
  check_missing bad_scores.json
  check_text stderr "^evaluate: bad\.json: $2"
}
box='"bbox": [1, 2, 3, 4]'
bad '' 'byte 0: is empty'
bad '{"images": []}' 'byte 0: is an object, as files of annotations are'
bad "[{\"image_id\": 6818, \"category_id\": 1, \"score\": 0.5, $box}" 'byte .*: it is truncated'
bad "[{\"image_id\": 1, \"category_id\": 1, \"score\": 0.5, $box}]" \
  'results\[0\]: image_id: there is no image with id 1 in '
bad "[{\"image_id\": 6818, \"category_id\": 12, \"score\": 0.5, $box}]" \
  'results\[0\]: category_id: there is no category with id 12 in '
bad "[{\"image_id\": 6818, \"category_id\": 1, \"score\": NaN, $box}]" \
  'results\[0\]: score: is not a finite number'
run "$evaluate" --results boxes.json --ground-truth "$truth" --iou-type segm
check_code 3
check_text stderr 'boxes.json: results\[[0-9]+\]: segmentation: there is none'
run "$evaluate" --results missing.json --ground-truth "$truth"
check_code 3
check_text stderr '^evaluate: missing\.json: cannot open'
run "$evaluate" --results "$results" --ground-truth "$results"
check_code 3
check_text stderr 'results_cut\.json: byte 0: is a list, as files of results are'
run "$evaluate" --results "$results" --data set --split test
check_code 3
run "$evaluate" --results "$results" --ground-truth "$truth" --json missing/scores.json
check_code 5

echo "== intervals, VOC, comparisons"
run "$evaluate" --results "$results" --ground-truth "$truth" --bootstrap 50 --voc --json more.json
check_code 0
check_text stdout '^ 95 % intervals over images, 50 resamples$'
check_text stdout '^ AP     0\.620 \[0\.[0-9]{3}, 0\.[0-9]{3}\]$'
check_text stdout '^ VOC AP at IoU 0\.50: 0\.[0-9]{3} \(2012\), 0\.[0-9]{3} \(2007\)$'
check_text more.json '"intervals":\{"bbox":\{"AP":\[0\.'
check_text more.json '"voc":\{"bbox":\{"AP2012":0\.'
run "$evaluate" --results "$results" --ground-truth "$truth" --bootstrap 50 --threads 1 --json same.json --voc
check_same same.json more.json
run "$evaluate" --results "$results" --ground-truth "$truth" --bootstrap 50 --seed 1 --json other.json --voc
check "another seed, other intervals" test "$(cksum <other.json)" != "$(cksum <more.json)"
run "$evaluate" --compare none.json "$results" --ground-truth "$truth" --bootstrap 50 --csv pair.csv
check_code 0
check_text stdout '^ AP      0\.000  0\.620     \+0\.620  \[\+0\.'
check_text pair.csv '^bbox,AP,0,0\.6195803660571576,0\.6195803660571576,0\.'
run "$evaluate" --compare boxes.json "$results" --ground-truth "$truth" --json pair.json --quiet
check_code 0
check_empty stdout
check_text pair.json '^\{"bbox":\{"AP":\{"first":0\.6195803660571576,"second":0\.6195803660571576,"difference":0,'
check_no_text pair.json 'segm'

echo "== a model"
"$dataset" shapes --out shapes --images 0 --val-images 3 --size 64 >/dev/null
small=(--weights seeded --model maskrcnn_resnet18_fpn --device cpu)
run "$evaluate" "${small[@]}" --data shapes --results-out found.json --json model.json --score 0
check_code 0
check "24 lines" [ "$(grep -c '^ Average' stdout)" = 24 ]
check_text stderr '^evaluate: maskrcnn_resnet18_fpn, 6 classes, seeded weights'
check_text found.json '^\{"image_id":1,"category_id":[1-5],"bbox":'
run "$evaluate" --results found.json --data shapes --json again.json
check_code 0
# Results are written as 32-bit numbers, which is enough for the numbers to be the same here.
check_same again.json model.json
run "$evaluate" "${small[@]}" --ground-truth shapes/annotations/instances_val.json \
  --images shapes/val --score 0 --batch 2 --quiet --json batch.json
check_code 0
check_empty stdout
check_empty stderr
check_same batch.json model.json
run "$evaluate" "${small[@]}" --data shapes --max-images 1 --results-out - --progress off
check_code 0
check_text stdout '^\{"image_id":1,'
check_no_text stdout '"image_id":2,'
check_text stderr '^ Average Precision'
run "$evaluate" "${small[@]}" --data shapes --score 0 --quiet --html model.html
check_code 0
check_text model.html '<h1>Evaluation of seeded</h1>'
check_text model.html '<h3>Found, but wrong, by score</h3>'
check_text model.html '<h2 id="part5">Samples</h2>'
check_no_text model.html 'https?:|src="[^d]'
run "$evaluate" --results found.json --ground-truth shapes/annotations/instances_val.json \
  --images shapes/val --html results.html
check_code 0
check_text results.html '<img src="data:image/jpeg;base64,'
echo broken >shapes/val/000002.png
run "$evaluate" "${small[@]}" --data shapes --json broken.json
check_code 3
check_text stderr '^evaluate: not evaluated: .*000002\.png'
check "numbers of the others" [ -s broken.json ]
run "$evaluate" --weights missing.pth --data shapes
check_code 4
run "$evaluate" "${small[@]}" --data shapes --device cuda:99
check_code 5
check_empty stdout

echo "== what is unknown can be left out"
sed '0,/"image_id": [0-9]*/s//"image_id": 1/' "$results" >unknown.json
run "$evaluate" --results unknown.json --ground-truth "$truth" --skip-unknown
check_code 0
check_text stderr '^evaluate: warning: unknown.json: 1 of [0-9]+ results are in no image or of no category of '

finish
