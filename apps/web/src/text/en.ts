/** All texts of one language. A page's words are in the file of its area. */
import chat from './en/chat.json' with { type: 'json' }
import late from './en/late.json' with { type: 'json' }
import settings from './en/settings.json' with { type: 'json' }
import shell from './en/shell.json' with { type: 'json' }

export default { ...shell, ...settings, chat, late }
