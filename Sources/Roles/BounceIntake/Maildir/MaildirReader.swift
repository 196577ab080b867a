package import Logging
import Metrics
import Model
import Policy
import ServiceLifecycle
package import Transport

/// Takes mail from a Maildir. A mail leaves `new` when what it says is in Redis; one that was taken just before the end of the process is
/// taken again, and counts once.
package struct MaildirReader: Service {
    private let maildir: Maildir
    private let disk = DiskThread("maildir")
    private let pause: Duration
    private let logger: Logger
    private let take: @Sendable (IncomingMail) async -> MailVerdict

    /// Mails that are listed at a time.
    private static let listed = 1000
    /// Mails that cannot be read or moved, and are remembered.
    private static let mostStuck = 10_000

    /// - Parameters:
    ///   - pause: between two looks at the folder where the kernel tells of no arrival.
    ///   - take: keeps a mail.
    package init(
        _ maildir: Maildir, pause: Duration = .seconds(5), logger: Logger,
        take: @escaping @Sendable (IncomingMail) async -> MailVerdict
    ) {
        (self.maildir, self.pause, self.logger, self.take) = (maildir, pause, logger, take)
    }

    /// Runs until graceful shutdown, and ends the mail that it has begun.
    package func run() async throws {
        let signal = WakeSignal()
        let arrivals = FolderArrivals(maildir.arrivals, notifying: signal)
        if arrivals == nil { logger.warning("\(maildir.arrivals) cannot be watched: it is looked at every \(pause)") }
        logger.info("taking mail from a Maildir", metadata: ["folder": "\(maildir.path)"])
        var backoff = Backoff()
        var stuck: Set<String> = []
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            let names = await list(besides: stuck)
            var isDelayed = false
            for name in names {
                if Task.isShuttingDownGracefully || Task.isCancelled { break }
                do throws(MaildirError) {
                    guard try await takeMail(name) else {
                        isDelayed = true
                        break
                    }
                    backoff = Backoff()
                } catch {
                    logger.error("\(error); it stays there, and is looked at after the next start")
                    if stuck.count < Self.mostStuck { stuck.insert(name) }
                }
            }
            if isDelayed {
                backoff = await cancelWhenGracefulShutdown { [backoff] in
                    var backoff = backoff
                    _ = await backoff.wait()
                    return backoff
                }
            } else if names.isEmpty {
                await cancelWhenGracefulShutdown { _ = await signal.wait(atMost: pause) }
            }
        }
        _ = arrivals
    }

    private func list(besides stuck: Set<String>) async -> [String] {
        let listed = await disk.run { Result { () throws(MaildirError) in try maildir.arrived(besides: stuck, limit: Self.listed) } }
        switch listed {
        case .success(let names): return names
        case .failure(let error):
            logger.error("\(error)")
            return []
        }
    }

    /// - Returns: false where it has to be taken later.
    private func takeMail(_ name: String) async throws(MaildirError) -> Bool {
        let read = await disk.run { Result { () throws(MaildirError) in try maildir.read(name) } }
        guard let mail = try read.get() else { return true }
        guard await take(mail) != .later else { return false }
        try await disk.run { Result { () throws(MaildirError) in try maildir.finish(name) } }.get()
        return true
    }
}
