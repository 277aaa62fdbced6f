# A colleague adds a commit at a peer: colleague.sh PEER
set -eu
cd peers/colleague
echo "::phase::Catching up"
for peer in berlin oslo; do
  git fetch -q "$peer" main
  git merge -q --ff-only FETCH_HEAD
done
tip=$(git -C ../../site rev-parse main)
if ! git merge-base --is-ancestor "$tip" HEAD 2>/dev/null; then
  echo "::warning::You have commits no peer has."
  echo "::summary::The colleague waits for you."
  echo "::hint::Push first, so that the histories do not part."
  exit 3
fi
echo "::phase::Committing"
date -u '+Signed on %Y-%m-%d at %H:%M:%S UTC' >> guestbook.txt
git add guestbook.txt
git commit -q -m "Sign the guest book"
git push -q "$1" main
echo "::summary::One new commit at $1: $(git rev-parse --short HEAD)."
