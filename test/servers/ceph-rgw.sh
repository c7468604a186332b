#!/bin/bash
# One-node Ceph with an S3 gateway on loopback: ceph-rgw.sh DIR PORT MON_V2_PORT MON_V1_PORT.
# Access key "test", secret "testtest", path-style. Stop it with the pids in DIR/run/*.pid.
set -e
D=${1:?directory for the cluster}; PORT=${2:?port of the gateway}; V2=${3:?port}; V1=${4:?port}
[ -e "$D" ] && { echo "$D exists" >&2; exit 2; }
mkdir -p $D/{mon,mgr,osd,rgw,log,run}
FSID=$(cat /proc/sys/kernel/random/uuid)
cat > $D/ceph.conf <<C
[global]
fsid = $FSID
mon initial members = a
mon host = [v2:127.0.0.1:$V2,v1:127.0.0.1:$V1]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon allow pool delete = true
mon max pg per osd = 1000
osd objectstore = bluestore
bluestore block size = 42949672960
bluestore block create = true
bluestore fsck on mount = false
osd max object name len = 2048
run dir = $D/run
admin socket = $D/run/\$cluster-\$name.asok
pid file = $D/run/\$name.pid
log file = $D/log/\$name.log
mon data = $D/mon
mgr data = $D/mgr
osd data = $D/osd
osd journal = $D/osd/journal
ms bind ipv4 = true
ms bind ipv6 = false
mon warn on pool no redundancy = false
keyring = $D/keyring
[mon.a]
host = localhost
[client.rgw.a]
rgw frontends = beast endpoint=127.0.0.1:$PORT tcp_nodelay=1
rgw data = $D/rgw
rgw thread pool size = 64
rgw dns name = localhost
debug rgw = 0
C
export CEPH_CONF=$D/ceph.conf
ceph-authtool --create-keyring $D/keyring --gen-key -n mon. --cap mon 'allow *' >/dev/null
ceph-authtool $D/keyring --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mds 'allow *' --cap mgr 'allow *'
ceph-authtool $D/keyring --gen-key -n client.rgw.a --cap mon 'allow rwx' --cap osd 'allow rwx'
ceph-authtool $D/keyring --gen-key -n osd.0 --cap mon 'allow profile osd' --cap osd 'allow *'
monmaptool --create --clobber --fsid $FSID --addv a "[v2:127.0.0.1:$V2,v1:127.0.0.1:$V1]" $D/monmap >/dev/null
ceph-mon -c $D/ceph.conf --mkfs -i a --monmap $D/monmap --keyring $D/keyring
ceph-mon -c $D/ceph.conf -i a
ceph -c $D/ceph.conf config set mon auth_allow_insecure_global_id_reclaim false >/dev/null 2>&1 || true
OSDUUID=$(cat /proc/sys/kernel/random/uuid)
ceph -c $D/ceph.conf osd new $OSDUUID >/dev/null
ceph -c $D/ceph.conf auth del osd.0 >/dev/null 2>&1 || true
ceph -c $D/ceph.conf auth import -i $D/keyring >/dev/null 2>&1
ceph-osd -c $D/ceph.conf -i 0 --mkfs --osd-uuid $OSDUUID >/dev/null 2>&1
ceph-osd -c $D/ceph.conf -i 0 >/dev/null
radosgw -c $D/ceph.conf -n client.rgw.a
for i in $(seq 120); do curl -s -o /dev/null http://127.0.0.1:$PORT && break; sleep 0.5; done
radosgw-admin -c $D/ceph.conf user create --uid=test --display-name=test --access-key=test --secret=testtest >/dev/null
echo ready
