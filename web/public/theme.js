// Sets the theme before the first paint: the one that was chosen here, else the system's. A file of its own, because the
// content security policy runs nothing inline.
(() => {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const apply = () => {
    let chosen = null;
    try {
      chosen = localStorage.getItem('theme');
    } catch {
      // Storage can be forbidden; the system's theme is fine.
    }
    document.documentElement.dataset.theme =
      chosen === 'dark' || chosen === 'light' ? chosen : dark.matches ? 'dark' : 'light';
  };
  apply();
  dark.addEventListener('change', apply);
})();
