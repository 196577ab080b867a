import CHiredis
import Text

/// Commands to bytes. hiredis formats each length by `sprintf`, and copies all of it twice more.
struct RedisEncoder {
    /// The command in RESP.
    /// - Parameter run: what `RedisArgument.serverRun` stands for.
    static func encode(_ words: [RedisArgument], run: String = "") -> [UInt8] {
        var out: [UInt8] = []
        append(words, run: run, to: &out)
        return out
    }

    /// Commands one behind another.
    static func encode(_ commands: [[RedisArgument]], run: String = "") -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(commands.reduce(0) { $0 + size($1, run: run) })
        for words in commands { append(words, run: run, to: &out) }
        return out
    }

    private static func append(_ words: [RedisArgument], run: String, to out: inout [UInt8]) {
        if out.isEmpty { out.reserveCapacity(size(words, run: run)) }
        append(UInt8(ascii: "*"), words.count, to: &out)
        for word in words {
            append(UInt8(ascii: "$"), word.count(run: run), to: &out)
            switch word {
            case .text(let text): out.append(contentsOf: text.utf8)
            case .bytes(let bytes): out.append(contentsOf: bytes)
            case .serverRun: out.append(contentsOf: run.utf8)
            }
            out.append(UInt8(ascii: "\r"))
            out.append(UInt8(ascii: "\n"))
        }
    }

    /// Bytes of a command at most.
    private static func size(_ words: [RedisArgument], run: String) -> Int { words.reduce(24) { $0 + $1.count(run: run) + 24 } }

    /// A mark, a number from 0, and the end of the line.
    private static func append(_ mark: UInt8, _ number: Int, to out: inout [UInt8]) {
        out.append(mark)
        out.appendDecimal(Int64(number))
        out.append(UInt8(ascii: "\r"))
        out.append(UInt8(ascii: "\n"))
    }
}

extension RedisArgument {
    fileprivate func count(run: String) -> Int {
        switch self {
        case .text(let text): text.utf8.count
        case .bytes(let bytes): bytes.count
        case .serverRun: run.utf8.count
        }
    }
}

/// Takes bytes as they come and gives whole replies.
final class RedisDecoder {
    private let reader: UnsafeMutablePointer<redisReader>?

    init() {
        reader = redisReaderCreate()
        // A batch is a large bulk string: without this, hiredis copies its buffer again at each feed.
        reader?.pointee.maxbuf = 0
    }

    deinit { redisReaderFree(reader) }

    func feed(_ bytes: UnsafeRawBufferPointer) -> Bool {
        redisReaderFeed(reader, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count) == REDIS_OK
    }

    /// The next whole reply; nil when more bytes are needed.
    /// - Throws: `RedisError.unexpected` when what came is no RESP.
    func next() throws(RedisError) -> RESPValue? {
        var reply: UnsafeMutableRawPointer?
        guard redisReaderGetReply(reader, &reply) == REDIS_OK else {
            throw .unexpected("no RESP: is it a Redis that listens there?")
        }
        guard let reply else { return nil }
        defer { freeReplyObject(reply) }
        return Self.value(reply.assumingMemoryBound(to: redisReply.self).pointee)
    }

    private static func value(_ reply: redisReply) -> RESPValue {
        switch reply.type {
        case REDIS_REPLY_INTEGER: return .integer(reply.integer)
        case REDIS_REPLY_STRING, REDIS_REPLY_STATUS:
            return .string([UInt8](UnsafeRawBufferPointer(start: reply.str, count: reply.len)))
        case REDIS_REPLY_ERROR:
            return .error(String(decoding: UnsafeRawBufferPointer(start: reply.str, count: reply.len), as: UTF8.self))
        case REDIS_REPLY_ARRAY:
            return .array(
                (0..<reply.elements).map { index in
                    guard let element = reply.element[index] else { return .null }
                    return value(element.pointee)
                })
        default: return .null
        }
    }
}
