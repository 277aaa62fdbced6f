import { defineConfig, type UserConfig } from 'vite';

// Two builds into one dist. The app: index.html with hashed assets. The embed:
// one self-contained ES module under a name that does not change, so that a
// foreign page can load it with one line. public/.gitkeep comes along with
// every build, so that dist is never an empty directory.
const app: UserConfig = {
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
};

const embed: UserConfig = {
  build: {
    target: 'es2022',
    emptyOutDir: false,
    copyPublicDir: false,
    reportCompressedSize: false,
    lib: { entry: 'src/embed.ts', formats: ['es'], fileName: () => 'embed/telltale.js' },
  },
};

export default defineConfig(({ mode }) => (mode === 'embed' ? embed : app));
