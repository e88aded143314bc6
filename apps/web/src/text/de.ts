/** All texts of one language. A page's words are in the file of its area. */
import chat from './de/chat.json' with { type: 'json' }
import late from './de/late.json' with { type: 'json' }
import settings from './de/settings.json' with { type: 'json' }
import shell from './de/shell.json' with { type: 'json' }

export default { ...shell, ...settings, chat, late }
