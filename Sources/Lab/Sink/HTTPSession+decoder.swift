import NIOCore
import NIOHTTP1

extension HTTPSession {
    /// The handler that makes parts of requests from the bytes of one connection, within limits.
    static func decoder() -> ByteToMessageHandler<HTTPRequestDecoder> {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = 8192
        limits.maxHeaderListSize = 65_536
        limits.maxHeaderFieldCount = 256
        // Only a client that continues after a request for another protocol lets undecoded bytes gather.
        return ByteToMessageHandler(HTTPRequestDecoder(limitConfiguration: limits), maximumBufferSize: 1 << 17)
    }

    static func isOfDecoder(_ error: any Error) -> Bool {
        error is HTTPParserError || error is ByteToMessageDecoderError || error is ByteToMessageDecoderError.PayloadTooLargeError
    }

    /// Keeps what is answered. A connection that ends within a request gets no response, and what follows an error is not read.
    mutating func receive(error: any Error) {
        guard let error = error as? HTTPParserError, error != .invalidEOFState else { return }
        keep(error)
    }

    static func fault(for error: HTTPParserError) -> Fault {
        switch error {
        case .headerOverflow: headTooLarge
        case .invalidVersion: notVersion
        default: badRequest
        }
    }
}
