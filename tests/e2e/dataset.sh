#!/bin/bash
# dataset.sh DATASET TESTS_DIR: the `dataset` program as a user meets it.
dataset=$1
. "$2/e2e/harness.sh"
cd "$scratch" || exit 1

echo "== help and wrong command lines"
for command in "" shapes check voc2coco stats show; do
  # shellcheck disable=SC2086
  run "$dataset" $command --help
  check_code 0
  check_empty stderr
  check "help of '$command' fits 100 columns" [ "$(wc -L <stdout)" -le 100 ]
done
run "$dataset" --version
check_text stdout '^dataset \(maskrcnn.cpp\) [0-9]+\.[0-9]+'
run "$dataset"
check_code 2
run "$dataset" shaeps
check_code 2
check_text stderr "^dataset: unknown command 'shaeps'; did you mean 'shapes'"
run "$dataset" shapes
check_code 2
check_text stderr '^dataset: --out is required'
run "$dataset" shapes --out s --imagse 3
check_code 2
check_text stderr "'--imagse'; did you mean '--images'"
for wrong in "--images -1" "--images many" "--size 31" "--size 5000" "--width 0" "--seed -1" \
  "--max-objects 0" "--max-objects 33" "--images 0 --val-images 0"; do
  # shellcheck disable=SC2086
  run "$dataset" shapes --out s $wrong
  check_code 2
  check_empty stdout
done
check_missing s

echo "== shapes"
run "$dataset" shapes --out s --images 3 --val-images 2 --size 48 --width 64 --seed 9
check_code 0
check_empty stderr
check_text stdout '^wrote s: 3 images to train on, 2 to validate$'
check_files s annotations/instances_train.json annotations/instances_val.json \
  train/000001.png train/000002.png train/000003.png val/000001.png val/000002.png
check_text s/annotations/instances_train.json '"height":48,"width":64'
run "$dataset" shapes --out s --images 3 --val-images 2 --size 48 --width 64 --seed 9
check_code 0
check_text stdout '^already there: s'
run "$dataset" shapes --out s --images 4 --val-images 2 --size 48 --width 64 --seed 9
check_code 2
check_text stderr '^dataset: s/annotations/instances_train.json: holds another data set'
run "$dataset" shapes --out s --images 4 --val-images 2 --size 48 --width 64 --seed 9 --force
check_code 0
run env OMP_NUM_THREADS=1 "$dataset" shapes --out t --images 4 --val-images 2 --size 48 --width 64 --seed 9
check_same s/annotations/instances_train.json t/annotations/instances_train.json
check_same s/train/000004.png t/train/000004.png
check "pictures differ" test "$(cksum <s/train/000001.png)" != "$(cksum <s/train/000002.png)"
run "$dataset" stats s --split val
check_code 0
check_empty stderr
check_text stdout '^2 images, 0 without objects, width 64, height 48$'
check_text stdout '^ring '
cp stdout folder.txt
run "$dataset" stats s/annotations/instances_val.json
check_same stdout folder.txt
run "$dataset" stats s --split val --compat
check_code 2
check_text stderr 'no PASCAL VOC data set: --compat'
sed 's/"category_id":[0-9]*/"category_id":77/' s/annotations/instances_val.json >broken.json
run "$dataset" stats broken.json
check_text stderr '^dataset: warning: annotations\[0\].* is left out: '
run "$dataset" stats broken.json --strict
check_code 3
check_empty stdout
touch file
run "$dataset" shapes --out file/s --images 1
check_code 5

echo "== stats and show"
run "$dataset" stats s --split val --json stats.json --picture stats.png
check_code 0
check_same stdout folder.txt
check_text stats.json '"images":2,"images_without_objects":0,'
check "a picture of counts" test -s stats.png
run "$dataset" stats s --split val --picture stats.gif
check_code 2
run "$dataset" show s --split train --out look --count 2 --columns 1
check_code 0
check_empty stderr
check_text stdout '^wrote look/images/\*.png: 2 of 4 images; look/contact_sheet.png$'
check_files look contact_sheet.png images/000001.png images/000003.png
run "$dataset" show s/annotations/instances_val.json --images s/val --out look2
check_code 0
run "$dataset" show s/annotations/instances_val.json --images s/nothing --out look3
check_code 3
check_text stderr 'no picture can be shown'
run "$dataset" show s --out look --count -1
check_code 2

echo "== check"
run "$dataset" check s --split val
check_code 0
check_empty stderr
check_text stdout '^s/annotations/instances_val.json: 2 images, [0-9]+ annotations?, 5 categories; 2 pictures looked at$'
check_text stdout '^0 errors, 0 warnings, [0-9]+ notes?$'
run "$dataset" check s/annotations/instances_val.json
check_code 2
check_text stderr '^dataset: --images DIR is required'
run "$dataset" check s/annotations/instances_val.json --images nothing
check_code 3
run "$dataset" check broken.json --no-images --json found.json
check_code 3
check_text stdout '^error unknown_category: '
check_text stdout 'annotations\[0\] \(id 1\) of image [0-9]+, byte [0-9]+: category_id: 77 is'
check_text stderr '^dataset: broken.json: errors: [0-9]+, warnings: 0$'
check_text found.json '"kind":"unknown_category","severity":"error","section":"annotations","element":0,"byte":[0-9]+,"id":"1"'
sed 's/"area":[0-9]*/"area":9999/' s/annotations/instances_val.json >areas.json
run "$dataset" check areas.json --images s/val
check_code 0
check_text stdout '^warning area_disagrees: '
run "$dataset" check areas.json --images s/val --strict
check_code 3
run "$dataset" check areas.json --images s/val --fix areas.json
check_code 2
check_text stderr '^dataset: --fix would replace areas.json'
run "$dataset" check areas.json --images s/val --fix fixed.json
check_code 0
check_text stdout '^wrote fixed.json: 2 of 2 images, '
check_text stdout '^  area_disagrees +[0-9]+  area taken from the mask$'
run "$dataset" check fixed.json --images s/val --strict
check_code 0
head -c 700 areas.json >cut.json
run "$dataset" check cut.json --images s/val --fix cut_fixed.json
check_code 3
check_text stdout '^error invalid_json: 1$'
check_text stderr 'no copy was written, because its text is not whole$'
check_missing cut_fixed.json

echo "== PASCAL VOC"
voc=voc/VOCdevkit/VOC2012
mkdir -p "$voc"/{Annotations,JPEGImages,SegmentationObject,ImageSets/Segmentation}
# 8x6 pixels of gray levels: 1 in columns and rows 1 to 4, 255 (void) in column 5.
base64 -d >"$voc/SegmentationObject/2007_1.png" <<END
iVBORw0KGgoAAAANSUhEUgAAAAgAAAAGCAAAAADbboAnAAAAEklEQVR42mNggANGIPhPgAEFAGeQ
BA0C5bmpAAAAAElFTkSuQmCC
END
cp s/train/000001.png "$voc/JPEGImages/2007_1.png"
echo 2007_1 >"$voc/ImageSets/Segmentation/train.txt"
annotation() {
  echo "<annotation><size><width>8</width><height>6</height></size><object><name>$1</name>" \
    "<bndbox><xmin>2</xmin><ymin>2</ymin><xmax>5</xmax><ymax>5</ymax></bndbox></object>$2</annotation>"
}
annotation cat "" >"$voc/Annotations/2007_1.xml"
run "$dataset" stats voc
check_code 0
check_empty stderr
check_text stdout '^cat +1 +1 +1 +0 +0$'
run "$dataset" stats voc --split val
check_code 2
check_text stderr '^dataset: no split .val. in voc/VOCdevkit/VOC2012; there are: train'
run "$dataset" stats nothing
check_code 3
run "$dataset" voc2coco voc --out coco
check_code 0
check_text stdout '^wrote coco/annotations/instances_train.json: 1 images, 0 left out$'
check_text coco/annotations/instances_train.json '"id":1,"image_id":20071,"category_id":8,"bbox":\[1,1,4,4\],"area":16,'
check_same coco/train/2007_1.png s/train/000001.png
run "$dataset" check coco --no-images --strict
check_code 0
run "$dataset" check coco
check_code 3
check_text stdout '^error picture_size: 1$'
check_text stdout 'is stated as 8x6, but the picture is 64x48$'
run "$dataset" show coco --out look_voc
check_code 3
check_text stderr 'is 64x48 pixels, but annotated as 8x6'
run "$dataset" voc2coco voc --out coco
check_text stdout '^already there'
run "$dataset" voc2coco voc --out coco --compat
check_code 2
run "$dataset" voc2coco voc --out coco --compat --force
check_code 0
check_text coco/annotations/instances_train.json '"bbox":\[2,2,3,3\],"area":9,'

annotation nucleus "" >"$voc/Annotations/2007_1.xml"
run "$dataset" stats voc
check_code 3
check_text stderr "2007_1.xml: object 1: class 'nucleus' is none of: aeroplane"
run "$dataset" stats --classes cell,nucleus voc
check_code 0
check_text stdout '^nucleus +1 '
cp "$voc/Annotations/2007_1.xml" "$voc/Annotations/2007_2.xml"
cp "$voc/SegmentationObject/2007_1.png" "$voc/SegmentationObject/2007_2.png"
cp "$voc/JPEGImages/2007_1.png" "$voc/JPEGImages/2007_2.png"
echo 2007_2 >>"$voc/ImageSets/Segmentation/train.txt"
annotation cell "<object><name>cell</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></object>" \
  >"$voc/Annotations/2007_1.xml"
run "$dataset" stats voc --classes cell,nucleus
check_code 0
check_text stderr '^dataset: warning: 2007_1 is left out: 1 masks for 2 objects$'
run "$dataset" stats voc --classes cell,nucleus --strict
check_code 3
check_empty stdout
check_text stderr '^dataset: .*2007_1.xml: 1 masks for 2 objects in '

finish
