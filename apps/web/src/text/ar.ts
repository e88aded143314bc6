/** All texts of one language. A page's words are in the file of its area. */
import chat from './ar/chat.json' with { type: 'json' }
import late from './ar/late.json' with { type: 'json' }
import settings from './ar/settings.json' with { type: 'json' }
import shell from './ar/shell.json' with { type: 'json' }

export default { ...shell, ...settings, chat, late }
