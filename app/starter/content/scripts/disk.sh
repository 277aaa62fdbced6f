# Looks how full the disk is: disk.sh PERCENT
set -eu
df -P -k .
used=$(df -P -k . | awk 'NR == 2 { sub(/%/, "", $5); print $5 }')
echo "::summary::The disk is $used % full."
if [ "$used" -gt "$1" ]; then
  echo "::warning::$used % of the disk is in use; you asked to be warned above $1 %."
  exit 3
fi
