/** The commonest passwords of eight characters and more, in lower case, from the lists of leaked ones. */
export const commonPasswords: ReadonlySet<string> = new Set(
  `
00000000 11111111 12121212 12341234 12344321 123123123 123321123 1234567890 12345678 123456789 12345678910 123456789a
123456a123 1234abcd 1234qwer 123qweasd 147258369 159753456 1a2b3c4d 1q2w3e4r 1q2w3e4r5t 1qaz2wsx 1qazxsw2 22222222
55555555 66666666 77777777 789456123 87654321 88888888 987654321 9876543210 99999999 a1b2c3d4 a1234567 a12345678
aa123456 aaaaaaaa abc12345 abcd1234 abcdefgh abcdefg1 access14 admin123 administrator alexander asdasdasd asdf1234
asdfasdf asdfghjk asdfghjkl baseball basketball blink182 butterfly changeme charlie1 chocolate computer corvette
danielle december dragon123 elephant football football1 garfield hardcore hello123 hunter123 iloveyou iloveyou1
iloveyou2 internet jennifer jonathan jordan23 letmein1 liverpool liverpool1 lovelove marlboro maverick mercedes
michael1 michelle midnight monkey123 mustang1 nicholas november p@ssw0rd p@ssword pa$$word pa55word passw0rd password
password! password01 password1 password1! password12 password123 password1234 password2 pokemon1 princess princess1
q1w2e3r4 q1w2e3r4t5 qazwsxedc qwe123qwe qweasdzxc qwer1234 qwerqwer qwerty12 qwerty123 qwerty1234 qwertyui qwertyuiop
samantha scorpion september slipknot snowball starwars sunshine sunshine1 superman superman1 trustno1 victoria
welcome1 welcome123 whatever yankees1 zaq12wsx zaq1zaq1 zxcvbnm1 zxcvbnm123
`
    .trim()
    .split(/\s+/),
)
