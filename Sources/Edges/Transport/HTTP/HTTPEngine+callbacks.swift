import CCurl
import Glibc

/// What libcurl calls, through the functions in `HTTPCallbacks.swift`.
extension HTTPEngine {
    func watch(_ socket: Int32, for what: Int32) { poll.watch(socket, for: what) }

    func setTimer(milliseconds: Int) {
        due = milliseconds < 0 ? nil : MonotonicClock.now() + Int64(milliseconds) * 1_000_000
    }

    func open(_ address: UnsafeMutablePointer<curl_sockaddr>) -> Int32 {
        let kind = address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue)
        let socket = socket(address.pointee.family, kind, address.pointee.protocol)
        if socket >= 0 {
            opened += 1
            poll.opened(socket)
        }
        return socket
    }

    func close(_ socket: Int32) -> Int32 {
        closed += 1
        poll.closed(socket)
        return Glibc.close(socket)
    }
}
