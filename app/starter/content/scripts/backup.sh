# Copies the site file by file: backup.sh SECONDS
set -eu
total=$(find site -type f -not -path 'site/.git/*' | wc -l | tr -d ' ')
rm -rf backups/unfinished
mkdir -p backups/unfinished
n=0
echo "::phase::Copying"
find site -type f -not -path 'site/.git/*' | sort | while read -r file; do
  mkdir -p "backups/unfinished/$(dirname "$file")"
  cp "$file" "backups/unfinished/$file"
  n=$((n + 1))
  echo "::progress value=$n,total=$total,unit=files::Copying $file"
  sleep "$1"
done
echo "::phase::Finishing"
rm -rf backups/latest
mv backups/unfinished backups/latest
echo "::summary::$total files copied to backups/latest."
