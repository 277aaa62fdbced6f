import { defineConfig, type UserConfig } from 'vite';

// Two builds into one dist. The app: index.html with hashed assets. The embed:
// one self-contained ES module under a name that does not change, so that a
// foreign page can load it with one line. public/.gitkeep comes along with
// every build, so that dist is never an empty directory.
const common = {
  target: 'es2022',
  // Engines that know light-dark(): it must not be lowered, pages set color-scheme.
  cssTarget: ['chrome125', 'firefox125', 'safari17.5'],
  modulePreload: { polyfill: false },
  reportCompressedSize: false,
} satisfies UserConfig['build'];

const app: UserConfig = {
  build: common,
  server: { proxy: { '/api': 'http://127.0.0.1:8080' } }, // npm run dev beside telltale serve
};

const embed: UserConfig = {
  build: {
    ...common,
    emptyOutDir: false,
    copyPublicDir: false,
    rolldownOptions: {
      input: 'src/embed.ts',
      preserveEntrySignatures: 'strict',
      output: { entryFileNames: 'embed/telltale.js', codeSplitting: false },
    },
  },
};

export default defineConfig(({ mode }) => (mode === 'embed' ? embed : app));
