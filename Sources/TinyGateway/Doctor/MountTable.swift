// SPDX-License-Identifier: MIT
import Platform

/// One line of `/proc/self/mountinfo` (proc(5)).
struct Mount: Equatable, Sendable {
  /// `major:minor`.
  let device: ByteString
  let point: ByteString
  let type: ByteString
  let source: ByteString
  /// Those of the mount and those of the file system.
  let options: ByteString
}

/// Reading of `/proc/self/mountinfo`.
struct MountTable {
  let mounts: [Mount]

  /// Reads the text; lines of another form are left out.
  init(_ text: ByteString) {
    var mounts: [Mount] = []
    for line in text.list(separatedBy: 0x0A) {
      let words = line.list(separatedBy: UInt8(ascii: " "))
      // Between the sixth word and the dash there are any number of tags.
      guard let dash = words.firstIndex(where: { $0 == "-" }), dash >= 6, words.count > dash + 3
      else { continue }
      mounts.append(
        Mount(
          device: words[2], point: words[4], type: words[dash + 1], source: words[dash + 2],
          options: words[5] + "," + words[dash + 3]))
    }
    self.mounts = mounts
  }

  /// What files of a device lie on: below an overlay, what its writable layer lies on.
  func mount(ofDevice device: ByteString) -> Mount? {
    guard let found = mounts.last(where: { $0.device == device }) else { return nil }
    guard found.type == "overlay", let upper = MountTable.option("upperdir=", of: found),
      let below = mount(ofPath: upper), below.type != "overlay"
    else { return found }
    return below
  }

  /// The mount with the longest point that leads to a path.
  private func mount(ofPath path: ByteString) -> Mount? {
    var best: Mount?
    for mount in mounts {
      let point = mount.point == "/" ? ByteString.empty : mount.point
      guard path.bytes.starts(with: point.bytes),
        path.count == point.count || path[point.count] == UInt8(ascii: "/"),
        point.count >= best?.point.count ?? 0
      else { continue }
      best = mount
    }
    return best
  }

  private static func option(_ name: StaticString, of mount: Mount) -> ByteString? {
    for option in mount.options.list(separatedBy: UInt8(ascii: ",")) where option.starts(with: name)
    {
      return ByteString(Array(option.bytes.dropFirst(name.utf8CodeUnitCount)))
    }
    return nil
  }
}
