import Foundation
import Testing

/// What Redis Cluster demands of scripts, told from their text.
@Suite struct ScriptKeyTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Sources/Edges/Broker/Scripts")

    private static func source(_ name: String) throws -> String {
        try String(contentsOf: folder.appending(path: name), encoding: .utf8)
    }

    static let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
        .filter { $0.hasSuffix(".lua") && $0 != "prelude.lua" }.sorted()

    @Test func thereAreScripts() { #expect(Self.names.count > 10) }

    @Test(arguments: names)
    func aScriptTouchesNoKeyThatItWasNotGiven(name: String) throws {
        let prelude = (try? Self.source("prelude.lua")) ?? ""
        let problems = try LuaKeys(prelude + Self.source(name)).problems
        #expect(problems.isEmpty, "lines count from the first of prelude.lua")
    }

    /// All keys stand in one file; each begins with the hash tag, and nothing else of ours makes one.
    @Test func everyKeyBeginsWithTheHashTag() throws {
        let file = Self.folder.deletingLastPathComponent().appending(path: "Keys.swift")
        let makers = try String(contentsOf: file, encoding: .utf8).matches(of: /-> String \{ "([^"]*)|var \w+: String \{ "([^"]*)/)
            .map { $0.output.1 ?? $0.output.2 ?? "" }
        #expect(makers.count > 15 && makers.allSatisfy { $0.hasPrefix("\\(tag):") }, "\(makers)")
    }

    @Test(arguments: [
        "redis.call('GET', KEYS[1] .. ':x')", "redis.call('GET', 'flotilla:x')", "redis.call('GET', ARGV[1])",
        "local key = KEYS[1]\nkey = key .. 'x'\nredis.call('GET', key)", "redis.call('DEL', KEYS[1], ARGV[1])",
        "redis.call('XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', KEYS[1], ARGV[1], '>', '>')",
        "local function get(key)\n  return redis.call('GET', key)\nend\nget(KEYS[1])\nget(ARGV[1])",
        "local a, b = KEYS[1], ARGV[1]\nredis.pcall('GET', b)", "for i, key in ipairs(ARGV) do redis.call('DEL', key) end",
        "redis.call(ARGV[1], KEYS[1])", "redis.call('FLUSHALL')", "redis.call('XINFO', 'STREAM', ARGV[1])",
        "local scope = {}\nscope.key = ARGV[1]\nredis.call('SET', scope.key, 1)", "redis.call('GET', unknown)",
        "redis.call('SADD', 'x' .. KEYS[1], 1)",
    ])
    func whatDoesIsFound(script: String) { #expect(LuaKeys(script).problems.count == 1, "\(LuaKeys(script).problems)") }

    @Test(arguments: [
        "redis.call('DEL', unpack(KEYS))", "for i = 2, #KEYS do redis.call('UNLINK', KEYS[i]) end",
        "for _, key in ipairs(KEYS) do redis.call('DEL', key) end", "local key = KEYS[#KEYS - 1]\nredis.call('GET', key)",
        "local function get(key, field) return redis.call('HGET', key, field) end\nget(KEYS[2 * (1 + 1)], ARGV[1])",
        "local function unused(key) return redis.call('GET', key) end", "local clock = redis.call('TIME')",
        "local scope = {}\nscope.key = KEYS[1]\n-- redis.call('GET', 'x')\nredis.call('SET', scope.key, 'redis.call')",
        "redis.call('XREADGROUP', 'GROUP', 'g', 'c', 'COUNT', 1, 'STREAMS', KEYS[1], '>')",
    ])
    func whatDoesNotIsLetPass(script: String) { #expect(LuaKeys(script).problems.isEmpty, "\(LuaKeys(script).problems)") }
}
