import CHiredis

/// hiredis as codec: commands to bytes, bytes to replies. One owner, the event loop of its connection.
struct RedisEncoder {
    /// The command in RESP.
    /// - Parameter run: what `RedisArgument.serverRun` stands for.
    static func encode(_ words: [RedisArgument], run: String = "") -> [UInt8] {
        var flat: [UInt8] = []
        var lengths: [Int] = []
        lengths.reserveCapacity(words.count)
        for word in words {
            let start = flat.count
            switch word {
            case .text(let text): flat.append(contentsOf: text.utf8)
            case .bytes(let bytes): flat.append(contentsOf: bytes)
            case .serverRun: flat.append(contentsOf: run.utf8)
            }
            lengths.append(flat.count - start)
        }
        return flat.withUnsafeBytes { bytes in
            // An empty array has no base address; hiredis wants one, and never reads it.
            let empty: StaticString = ""
            let base = bytes.baseAddress ?? UnsafeRawPointer(empty.utf8Start)
            var starts: [UnsafePointer<CChar>?] = []
            starts.reserveCapacity(lengths.count)
            var offset = 0
            for length in lengths {
                starts.append((base + offset).assumingMemoryBound(to: CChar.self))
                offset += length
            }
            var target: UnsafeMutablePointer<CChar>?
            let length = redisFormatCommandArgv(&target, Int32(starts.count), &starts, &lengths)
            guard length > 0, let target else { return [] }
            defer { redisFreeCommand(target) }
            return [UInt8](UnsafeRawBufferPointer(start: target, count: Int(length)))
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
