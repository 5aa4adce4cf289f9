import CLinux
import Core
import Glibc

/// Whether the kernel knows a way to an address.
enum Route {
    /// Asks the kernel only: connecting a datagram socket sends nothing.
    static func exists(to address: IPAddress) -> Bool {
        let target = SocketAddress.ip(address, port: 53)
        let opened = socket(target.family, sidecar_SOCK_DGRAM | sidecar_SOCK_CLOEXEC, 0)
        guard opened >= 0 else { return false }
        let descriptor = FileDescriptor(rawValue: opened)
        // SAFETY: the kernel reads an address of the length given.
        return unsafe target.withSockaddr { unsafe connect(descriptor.rawValue, $0, $1) } == 0
    }
}
