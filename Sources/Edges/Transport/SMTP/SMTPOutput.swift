import NIOCore

/// What a dialogue has written, on its way to the channel.
///
/// A class, because a write can end the channel, and so come back to the handler before it returns.
final class SMTPOutput {
    private static let capacity = 4096
    /// Memory beyond this is given back: it was for an unusually large message.
    private static let largestKept = 1 << 18

    var bytes: ByteBuffer

    init(_ allocator: ByteBufferAllocator) { bytes = allocator.buffer(capacity: Self.capacity) }

    /// Hands everything to the channel.
    /// - Parameters:
    ///   - largeText: how many bytes end with a text that is to be watched until it has left (`SMTPDialogue.takeLargeText`).
    ///   - isEncrypted: TLS reports all that it is given between two flushes together, so the text is flushed alone.
    ///   - textWasSent: the system has taken that text to its last byte.
    func flush(to context: ChannelHandlerContext, largeText: Int?, isEncrypted: Bool, textWasSent: @escaping () -> Void) {
        guard bytes.readableBytes > 0 else { return }
        if let largeText, let text = bytes.readSlice(length: largeText) {
            let promise = context.eventLoop.makePromise(of: Void.self)
            promise.futureResult.assumeIsolated().whenSuccess(textWasSent)
            context.write(NIOAny(text), promise: promise)
            if isEncrypted || bytes.readableBytes == 0 { context.flush() }
        }
        if bytes.readableBytes > 0 { context.writeAndFlush(NIOAny(bytes), promise: nil) }
        // Where the socket took all at once, the memory has no other owner, and is used again.
        if bytes.capacity > Self.largestKept {
            bytes = context.channel.allocator.buffer(capacity: Self.capacity)
        } else {
            bytes.clear()
        }
    }
}
