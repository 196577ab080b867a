/// The words of a Lua script (Lua 5.1 manual, section 2.1), as far as our scripts use the language.
struct LuaToken: Equatable {
    enum Kind { case name, number, string, symbol }

    var kind: Kind
    /// Of a string, what stands between its quotes.
    var text: String
    var line: Int

    static func read(_ source: String) -> [LuaToken] {
        var tokens: [LuaToken] = []
        var rest = Substring(source)
        var line = 1
        func take(_ kind: Kind, _ text: Substring) { tokens.append(LuaToken(kind: kind, text: String(text), line: line)) }
        while let first = rest.first {
            if first.isWhitespace {
                if first.isNewline { line += 1 }
                rest.removeFirst()
            } else if rest.hasPrefix("--") {
                rest = rest.drop { !$0.isNewline }
            } else if first.isLetter || first == "_" {
                let word = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
                take(.name, word)
                rest = rest[word.endIndex...]
            } else if first.isNumber {
                let number = rest.prefix { $0.isHexDigit || $0 == "." || $0 == "x" }
                take(.number, number)
                rest = rest[number.endIndex...]
            } else if first == "'" || first == "\"" {
                rest.removeFirst()
                var isEscaped = false
                let text = rest.prefix {
                    if isEscaped {
                        isEscaped = false
                        return true
                    }
                    isEscaped = $0 == "\\"
                    return $0 != first
                }
                take(.string, text)
                rest = rest[text.endIndex...].dropFirst()
            } else {
                let symbol = ["...", "..", "==", "~=", "<=", ">="].first { rest.hasPrefix($0) } ?? String(first)
                take(.symbol, Substring(symbol))
                rest = rest.dropFirst(symbol.count)
            }
        }
        return tokens
    }
}
