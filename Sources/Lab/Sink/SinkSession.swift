import NIOCore

/// What a connection does next.
enum SinkStep: Equatable {
    /// It waits for more input.
    case more
    /// It gives the delayed response after so many nanoseconds, and continues to read then.
    case hold(Int64)
    /// It sends what it has answered, and closes.
    case close
    /// It sends what it has answered, and resets the connection.
    case drop
    /// It reads without a response, until the client closes.
    case stall
    /// It sends what it has answered, and begins TLS.
    case startTLS
}

/// The server's side of one connection as a value: bytes in, responses out, without a socket or a clock.
protocol SinkSession {
    /// - Parameters:
    ///   - number: the connection's, from 1.
    ///   - isSecure: TLS was there from the first byte.
    init(shared: SinkContext, number: Int, isSecure: Bool)

    /// What is answered to a connection above the limit.
    static func refuse(_ shared: SinkContext, into out: inout ByteBuffer)

    /// Begins the dialogue.
    mutating func open(into out: inout ByteBuffer) -> SinkStep

    /// Takes input from its beginning as far as it can be understood; the rest has to be given again with more behind
    /// it.
    /// - Parameters:
    ///   - now: microseconds since 1970.
    ///   - out: where responses are appended.
    /// - Returns: the bytes taken, and what to do next.
    mutating func process(
        _ input: UnsafeRawBufferPointer, now: Int64, into out: inout ByteBuffer
    ) -> (taken: Int, next: SinkStep)

    /// Gives the response that was held back.
    mutating func release(into out: inout ByteBuffer) -> SinkStep

    /// TLS has begun: the state of the session before it does not count (RFC 3207 section 4.2).
    mutating func secure()
}

/// A response that is held back.
enum DelayedResponse {
    case accepted(UInt64)
    case fault(Fault)
}
