import NIOCore

/// One connection, seen from anywhere.
struct SMTPConnection: Sendable {
    let channel: any Channel
    let handler: NIOLoopBound<SMTPConnectionHandler>

    func give(_ job: SMTPJob) {
        channel.eventLoop.execute { handler.value.take(job) }
    }

    func quit() {
        channel.eventLoop.execute { handler.value.quit() }
    }

    func cut() {
        channel.eventLoop.execute { handler.value.cut() }
    }
}
