"""Places an order over gRPC and shows what an error looks like: a client of portin in Python.

Run it beside `make run`, with the stubs on the path:

    PYTHONPATH=bin/clients/python python3 tools/clients/first_order.py
"""

import json
import sys
import uuid

import grpc
from google.protobuf import json_format
from portin.v1 import order_pb2, port_in_service_pb2, port_in_service_pb2_grpc


def main():
    with open("internal/app/first_order.json", encoding="utf-8") as file:
        order = json_format.Parse(file.read(), order_pb2.PortInOrder())
    with open("tools/clients/service_config.json", encoding="utf-8") as file:
        options = [("grpc.service_config", file.read())]  # reads that are unavailable are tried again, orders are not
    # Numbers of its own: those of the first order are held by it.
    order.trunk_did.dids[0].number = "416-555-0125"
    order.trunk_did.dids[1].number = "416-555-0126"
    with grpc.insecure_channel(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50051", options) as channel:
        service = port_in_service_pb2_grpc.PortInServiceStub(channel)
        request = port_in_service_pb2.PortInRequest(order=order, request_id=str(uuid.uuid4()))
        # The same request_id may always be sent again; a deadline shorter than an order needs is refused.
        for _ in range(2):
            answer = service.PortIn(request, timeout=70)
            print(json.dumps({
                "ticket": answer.order.ticket_id,
                "state": order_pb2.OrderState.Name(answer.order.state),
                "replayed": answer.replayed,
            }))
        try:
            service.PortIn(port_in_service_pb2.PortInRequest(request_id=request.request_id), timeout=70)
        except grpc.RpcError as error:
            print(json.dumps({"code": error.code().name, "message": error.details()}))


if __name__ == "__main__":
    main()
