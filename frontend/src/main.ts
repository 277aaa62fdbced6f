import './styles/tokens.css';
import './styles/page.css';
import './pages/app.ts';
