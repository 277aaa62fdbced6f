# Makes a test of the suite fail, or pass again.
set -eu
if [ -e suite/broken ]; then
  rm suite/broken
  echo "::summary::The tests are whole again."
else
  echo "The test TestNobodyBrokeIt fails while this file is here." > suite/broken
  echo "::summary::One test will fail at the next run."
fi
