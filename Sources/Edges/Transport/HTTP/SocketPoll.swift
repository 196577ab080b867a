import CCurl
import Glibc

/// The sockets that libcurl wants watched, over epoll(7). A connection kept alive is watched for reading in each request
/// and not between them; it stays registered all the same, which saves two system calls a request.
struct SocketPoll: ~Copyable {
    private struct Watch {
        var wanted: UInt32 = 0
        var registered: UInt32 = 0
        /// Opened by `opened`, so that `closed` will be called for it; others may be closed behind our back.
        var isOurs = false
    }

    private let epoll: Int32
    private var watches: [Watch] = []
    private let events = UnsafeMutableBufferPointer<epoll_event>.allocate(capacity: 256)

    /// - Throws: the error number of the system where no descriptor is left.
    init() throws(SystemFailure) {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0 else { throw SystemFailure("epoll_create1", errno) }
    }

    deinit {
        Glibc.close(epoll)
        events.deallocate()
    }

    /// Watches a socket for what libcurl asks: `CURL_POLL_IN`, `_OUT`, `_INOUT` or `_REMOVE`.
    mutating func watch(_ socket: Int32, for what: Int32) {
        let wanted: UInt32 =
            switch what {
            case CURL_POLL_IN: EPOLLIN.rawValue
            case CURL_POLL_OUT: EPOLLOUT.rawValue
            case CURL_POLL_INOUT: EPOLLIN.rawValue | EPOLLOUT.rawValue
            default: 0
            }
        update(socket) { watch in
            watch.wanted = wanted
            return wanted == 0 && watch.isOurs && watch.registered == EPOLLIN.rawValue ? watch.registered : wanted
        }
    }

    mutating func opened(_ socket: Int32) {
        update(socket) { watch in
            watch = Watch(isOurs: true)
            return 0
        }
    }

    /// Is called before the socket is closed.
    mutating func closed(_ socket: Int32) {
        update(socket) { _ in 0 }
        watches[Int(socket)] = Watch()
    }

    /// Brings what epoll holds for a socket to what `change` says.
    private mutating func update(_ socket: Int32, _ change: (inout Watch) -> UInt32) {
        let index = Int(socket)
        while watches.count <= index { watches.append(Watch()) }
        let target = change(&watches[index])
        let registered = watches[index].registered
        guard target != registered else { return }
        var event = epoll_event(events: target, data: epoll_data_t(fd: socket))
        let operation = target == 0 ? EPOLL_CTL_DEL : registered == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD
        if epoll_ctl(epoll, operation, socket, &event) != 0, operation != EPOLL_CTL_DEL {
            // libcurl may have closed and opened a descriptor without telling us; then epoll does not have what is noted.
            _ = epoll_ctl(epoll, operation == EPOLL_CTL_ADD ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket, &event)
        }
        watches[index].registered = target
    }

    /// Waits for sockets that are ready.
    /// - Parameter nanoseconds: at most that long; for ever when nil.
    /// - Returns: their number; `ready` tells each.
    func wait(nanoseconds: Int64?) -> Int {
        guard let nanoseconds else { return wait(until: nil) }
        var time = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        return wait(until: &time)
    }

    private func wait(until time: UnsafePointer<timespec>?) -> Int {
        let count = epoll_pwait2(epoll, events.baseAddress, Int32(events.count), time, nil)
        guard count < 0, errno == ENOSYS || errno == EPERM else { return Int(max(count, 0)) }
        // A kernel before 5.11, or one that is kept from it: whole milliseconds, rounded up.
        let milliseconds = time.map { Int32(clamping: $0.pointee.tv_sec * 1000 + ($0.pointee.tv_nsec + 999_999) / 1_000_000) }
        return Int(max(epoll_wait(epoll, events.baseAddress, Int32(events.count), milliseconds ?? -1), 0))
    }

    /// The socket at a place of the last `wait`, and what it is ready for, as libcurl's `CURL_CSELECT_…`; 0 where nobody
    /// wants to know, as when a provider closes an idle connection: it is watched no longer then.
    mutating func ready(_ place: Int) -> (socket: Int32, mask: Int32) {
        let event = events[place]
        let socket = event.data.fd
        let wanted = Int(socket) < watches.count ? watches[Int(socket)].wanted : 0
        guard wanted != 0 else {
            update(socket) { _ in 0 }
            return (socket, 0)
        }
        var ready = event.events
        // libcurl finds out about errors by reading or writing.
        if ready & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 { ready |= wanted }
        var mask: Int32 = 0
        if ready & EPOLLIN.rawValue != 0 { mask |= CURL_CSELECT_IN }
        if ready & EPOLLOUT.rawValue != 0 { mask |= CURL_CSELECT_OUT }
        return (socket, mask)
    }
}

/// A system call that failed.
struct SystemFailure: Error, CustomStringConvertible {
    let description: String
    init(_ call: String, _ number: Int32) { description = "\(call): \(String(cString: strerror(number)))" }
}
