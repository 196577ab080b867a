/// Where a script gets the keys from that it touches. Redis Cluster demands that all of them are given in KEYS
/// (https://redis.io/docs/latest/develop/programmability/eval-intro, "Script parameterization").
///
/// An expression is one of the keys when it is `KEYS[...]`, a name that is bound to nothing else, or a parameter that gets nothing else in
/// any call. Names are told apart by their spelling alone: a script uses none for a key and for something else.
struct LuaKeys {
    private typealias Expression = ArraySlice<LuaToken>

    private let tokens: [LuaToken]
    /// What each name is bound to, by assignments, loops and calls.
    private var bindings: [String: [Expression]] = [:]
    private var keys: Set<String> = []
    /// What is wrong, with the line.
    private(set) var problems: [String] = []

    init(_ source: String) {
        tokens = LuaToken.read(source)
        bindAssignments()
        bindLoops()
        bindParameters()
        keys = Set(bindings.keys)
        // Names bound to what is no key fall out, and then those bound to them.
        while let name = keys.first(where: { !(bindings[$0] ?? []).allSatisfy(isKey) }) { keys.remove(name) }
        checkCalls()
    }

    private func isSymbol(_ place: Int, _ text: String) -> Bool {
        tokens.indices.contains(place) && tokens[place].kind == .symbol && tokens[place].text == text
    }

    private func isName(_ place: Int, _ text: String) -> Bool {
        tokens.indices.contains(place) && tokens[place].kind == .name && tokens[place].text == text
    }

    /// The expressions between brackets that open at `place`, and the place of the closing one.
    private func list(from place: Int) -> (expressions: [Expression], end: Int) {
        var expressions: [Expression] = []
        var depth = 0
        var start = place + 1
        for index in place..<tokens.count where tokens[index].kind == .symbol {
            switch tokens[index].text {
            case "(", "[", "{": depth += 1
            case ")", "]", "}":
                depth -= 1
                if depth == 0 {
                    if index > start { expressions.append(tokens[start..<index]) }
                    return (expressions, index)
                }
            case "," where depth == 1:
                expressions.append(tokens[start..<index])
                start = index + 1
            default: break
            }
        }
        return (expressions, tokens.count)
    }

    /// `local a, b = x, y`, `a = x` and `a.b = x`; the last name of a path stands for it.
    private mutating func bindAssignments() {
        for place in tokens.indices where isSymbol(place, "=") {
            var names: [String] = []
            var index = place - 1
            while index >= 0, tokens[index].kind == .name {
                names.insert(tokens[index].text, at: 0)
                while isSymbol(index - 1, "."), index >= 2 { index -= 2 }
                guard isSymbol(index - 1, ",") else { break }
                index -= 2
            }
            var values: [Expression] = []
            var start = place + 1
            while values.count < names.count, start < tokens.count {
                let end = endOfExpression(start)
                values.append(tokens[start..<end])
                guard isSymbol(end, ",") else { break }
                start = end + 1
            }
            for (position, name) in names.enumerated() {
                bindings[name, default: []].append(position < values.count ? values[position] : [])
            }
        }
    }

    /// The end of an expression that an assignment begins: where the next statement or its neighbour begins.
    private func endOfExpression(_ start: Int) -> Int {
        var index = start
        while index < tokens.count {
            let token = tokens[index]
            if token.kind == .symbol {
                if ["(", "[", "{"].contains(token.text) {
                    index = list(from: index).end + 1
                    continue
                }
                if [",", ";", ")", "]", "}"].contains(token.text) { return index }
            } else if index > start, tokens[index - 1].kind != .symbol || [")", "]", "}"].contains(tokens[index - 1].text),
                !Self.operators.contains(token.text), !Self.operators.contains(tokens[index - 1].text)
            {
                return index
            }
            index += 1
        }
        return index
    }

    private static let operators: Set<String> = ["and", "or", "not"]

    /// `for i, key in ipairs(X)`: the second is one of X, the first none.
    private mutating func bindLoops() {
        for place in tokens.indices where isName(place, "for") {
            guard tokens.indices.contains(place + 1) else { continue }
            if isSymbol(place + 2, ","), isName(place + 4, "in"), isSymbol(place + 6, "(") {
                let isWhole = isName(place + 5, "ipairs") && isName(place + 7, "KEYS") && isSymbol(place + 8, ")")
                bindings[tokens[place + 1].text, default: []].append([])
                bindings[tokens[place + 3].text, default: []].append(isWhole ? tokens[place + 7...place + 7] : [])
            }
        }
    }

    /// What functions get in their calls.
    private mutating func bindParameters() {
        for place in tokens.indices where isName(place, "function") && isSymbol(place + 2, "(") {
            let function = tokens[place + 1].text
            let parameters = list(from: place + 2).expressions.compactMap(\.first?.text)
            // Of one that is never called, nothing is known and nothing is done.
            for parameter in parameters { bindings[parameter, default: []] += [] }
            for call in tokens.indices where isName(call, function) && isSymbol(call + 1, "(") && !isName(call - 1, "function") {
                let arguments = list(from: call + 1).expressions
                for (position, parameter) in parameters.enumerated() {
                    bindings[parameter, default: []].append(position < arguments.count ? arguments[position] : [])
                }
            }
        }
    }

    private func isKey(_ expression: Expression) -> Bool {
        guard let first = expression.first, let last = expression.last else { return false }
        let texts = expression.map(\.text)
        if first.kind == .name, first.text == "KEYS", last.text == "]", texts.count > 3, texts[1] == "[" {
            return list(from: expression.startIndex + 1).end == expression.endIndex - 1
        }
        if texts == ["KEYS"] { return true }
        if texts.starts(with: ["unpack", "(", "KEYS"]), last.text == ")" { return true }
        // A name, or a path whose last name stands for it.
        return last.kind == .name && keys.contains(last.text)
            && texts.dropLast().enumerated().allSatisfy { $0.offset % 2 == 1 ? $0.element == "." : true } && texts.count % 2 == 1
    }

    // MARK: - Commands

    private mutating func checkCalls() {
        for place in tokens.indices where isName(place, "redis") && isSymbol(place + 1, ".") {
            guard isName(place + 2, "call") || isName(place + 2, "pcall") else { continue }
            let line = tokens[place].line
            let arguments = list(from: place + 3).expressions
            guard let command = arguments.first?.first, command.kind == .string else {
                problems.append("line \(line): a command that is no literal")
                continue
            }
            guard let given = Self.keys(of: command.text, arguments) else {
                problems.append("line \(line): \(command.text): LuaKeys does not know where its keys are")
                continue
            }
            for key in given where !isKey(key) {
                problems.append("line \(line): \(command.text) touches '\(key.map(\.text).joined(separator: " "))', which is not from KEYS")
            }
        }
    }

    private static let single: Set<String> = [
        "EXPIRE", "GET", "HDEL", "HEXISTS", "HGET", "HGETALL", "HINCRBY", "HKEYS", "HLEN", "HMGET", "HSET", "HSETNX", "HSTRLEN", "INCR",
        "INCRBY",
        "LLEN", "LPOP", "LPUSH", "LRANGE", "PEXPIRE", "PTTL", "RPUSH", "SADD", "SCARD", "SET", "SETRANGE", "SISMEMBER", "SMEMBERS",
        "SMISMEMBER", "SPOP", "SREM", "STRLEN", "TTL", "TYPE", "XACK", "XADD", "XAUTOCLAIM", "XCLAIM", "XDEL", "XLEN", "XPENDING", "XRANGE",
        "XREVRANGE", "XTRIM", "ZADD", "ZCARD", "ZRANGE", "ZREM", "ZSCORE",
    ]

    /// The arguments of a command that are keys; nil for a command that is not known here.
    private static func keys(of command: String, _ arguments: [Expression]) -> [Expression]? {
        switch command {
        case "TIME": return []
        case "DEL", "UNLINK", "EXISTS", "TOUCH", "MGET": return Array(arguments.dropFirst())
        case "XGROUP", "XINFO", "OBJECT", "MEMORY": return arguments.count > 2 ? [arguments[2]] : nil
        case "SMOVE", "RENAME": return arguments.count > 2 ? Array(arguments[1...2]) : nil
        case "XREADGROUP", "XREAD":
            guard let streams = arguments.firstIndex(where: { $0.count == 1 && $0.first?.text == "STREAMS" }) else { return nil }
            let behind = arguments[(streams + 1)...]
            return Array(behind.prefix(behind.count / 2))
        default: return single.contains(command) && arguments.count > 1 ? [arguments[1]] : nil
        }
    }
}
